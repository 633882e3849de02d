use std::fs;

use super::*;

/// A folder of its own for a test.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("scimitar-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

async fn tells(watch: &Watch, within: Duration) -> bool {
    tokio::time::timeout(within, Watch::quiet_after_change(Some(watch))).await.is_ok()
}

const SOON: Duration = Duration::from_secs(10);
const A_WHILE: Duration = Duration::from_millis(300);

/// Every look reads the files: were that told, it would look for ever.
#[tokio::test]
async fn reading_is_no_change_and_writing_is() {
    let folder = folder("watch");
    let file = folder.join("mapping.yaml");
    fs::write(&file, "one").unwrap();
    let watch = Watch::new(BTreeSet::from([folder.clone()]));
    // What happened before it began.
    assert!(tells(&watch, SOON).await);
    assert_eq!(fs::read_to_string(&file).unwrap(), "one");
    assert!(!tells(&watch, A_WHILE).await);
    fs::write(&file, "two").unwrap();
    assert!(tells(&watch, SOON).await);
    fs::rename(&file, folder.join("other")).unwrap();
    assert!(tells(&watch, SOON).await);
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_watched_when_it_is() {
    let folder = folder("watch-later");
    fs::remove_dir_all(&folder).unwrap();
    let mut watch = Watch::new(BTreeSet::from([folder.clone()]));
    assert!(!tells(&watch, A_WHILE).await);
    fs::create_dir(&folder).unwrap();
    watch.follow(BTreeSet::from([folder.clone()]), true);
    assert!(tells(&watch, SOON).await);
    fs::write(folder.join("mapping.yaml"), "one").unwrap();
    assert!(tells(&watch, SOON).await);
    fs::remove_dir_all(folder).unwrap();
}
