//! The one integration test binary. Fixtures are data in `tests/fixtures`.

mod patch_cases;
