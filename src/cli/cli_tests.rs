use clap::CommandFactory;

use super::demo::DemoArgs;
use super::*;

#[derive(Debug, Parser)]
struct Demo {
    #[command(flatten)]
    args: DemoArgs,
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
    Demo::command().debug_assert();
}

#[test]
fn arguments() {
    let cli =
        Cli::try_parse_from(["scimitar", "serve", "--config", "s.yaml", "--check", "--log", "debug", "--log-format", "json"]);
    let cli = cli.unwrap();
    assert_eq!((cli.log.log.as_deref(), cli.log.log_format), (Some("debug"), Format::Json));
    let Command::Serve(args) = cli.command else { panic!("not serve") };
    assert!(args.check && args.config == std::path::Path::new("s.yaml"));
    let demo = Demo::try_parse_from(["demo", "--listen", "0.0.0.0:1", "--users", "3"]).unwrap().args;
    assert_eq!((demo.listen.port(), demo.backend_listen.port(), demo.users, demo.token.as_str()), (1, 8081, 3, "demo"));
}

#[test]
fn usage_is_2() {
    for line in [&["scimitar"][..], &["scimitar", "serv"], &["scimitar", "serve", "--nope"]] {
        assert_eq!(Cli::try_parse_from(line).unwrap_err().exit_code(), i32::from(USAGE), "{line:?}");
    }
}

#[test]
fn log_filters() {
    for good in [None, Some(""), Some("info"), Some("warn,scimitar=debug"), Some(telemetry::DEFAULT_FILTER)] {
        assert!(telemetry::filter(good).is_ok(), "{good:?}");
    }
    let error = telemetry::filter(Some("scimitar=loud")).unwrap_err().to_string();
    assert!(error.starts_with("`scimitar=loud` is no log filter") && error.contains("write a level such as `info`"), "{error}");
}
