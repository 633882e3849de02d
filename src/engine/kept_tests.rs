use super::*;

#[test]
fn a_write_reaches_what_is_kept_of_its_type_alone() {
    let keeper = Keeper::new(2);
    keeper.written(1);
    assert_eq!((keeper.epoch(0), keeper.epoch(1)), (0, 1));
}

#[test]
fn a_write_that_ends_after_a_reload_reaches_everything() {
    let old = Keeper::new(2);
    old.written(0);
    let new = old.after(3);
    assert_eq!([0, 1, 2].map(|place| new.epoch(place)), [0, 0, 0]);
    old.written(0);
    assert_eq!([0, 1, 2].map(|place| new.epoch(place)), [1, 1, 1]);
    // Writes on the newest are about one type again.
    new.written(2);
    assert_eq!([0, 1, 2].map(|place| new.epoch(place)), [1, 1, 2]);
    let third = new.after(1);
    old.written(1);
    new.written(1);
    assert_eq!(third.epoch(0), 3);
}
