//! `scimitar explain`: the plan of a request, without sending anything.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use form_urlencoded::parse as form;
use serde::Serialize;

use super::{FINDINGS, Output, USAGE, answer, say};
use crate::app::{Placeholders, read_mapping_with};
use crate::limits;
use crate::mapping::Mapping;
use crate::scim::bulk::BulkRequest;
use crate::scim::messages::SearchRequest;
use crate::scim::{Profile, ScimError, json};
use crate::server::routes::{self, Route};
use crate::translate::explain::{Explainer, bulk};

/// The base URL in explained requests.
const BASE_URL: &str = "https://scim.example.com/scim/v2";

/// What `explain` understands.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ExplainArgs {
    /// The mapping
    pub mapping: PathBuf,
    /// Method and path: `GET /Users?filter=userName eq "ann"`, `PATCH /Users/7`
    pub request: String,
    /// The file with the body of a POST, PUT or PATCH; `-` for stdin
    #[arg(long, value_name = "FILE")]
    pub body: Option<PathBuf>,
    /// The profile of the client
    #[arg(long, default_value = "lenient")]
    pub profile: String,
    /// The form of the answer
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: Output,
}

/// Explains one request.
pub fn run(args: &ExplainArgs) -> ExitCode {
    let Some(profile) = Profile::named(&args.profile) else {
        let names = Profile::ALL.map(|profile| profile.name).join(" or ");
        say(&format!("there is no profile `{}`: write {names}", args.profile));
        return ExitCode::from(USAGE);
    };
    let mapping = match read_mapping_with(&args.mapping, &Placeholders) {
        Ok(mapping) => mapping,
        Err(error) => {
            say(&error.to_string());
            return ExitCode::from(FINDINGS);
        }
    };
    let body = match args.body.as_deref().map(|path| (path, body_of(path))) {
        Some((path, Ok(body))) if body.len() > limits::REQUEST_BYTES => {
            say(&format!(
                "the body {} has more than {} bytes, the most that a request may have",
                path.display(),
                limits::REQUEST_BYTES
            ));
            return ExitCode::from(USAGE);
        }
        Some((_, Ok(body))) => Some(body),
        Some((path, Err(error))) => {
            say(&format!("the body {} cannot be read: {error}", path.display()));
            return ExitCode::from(USAGE);
        }
        None => None,
    };
    match explain(&mapping, &args.request, body.as_deref(), profile) {
        Ok(explained) => {
            answer(&match args.format {
                Output::Human => match mapping.backend.auth.in_words() {
                    Some(auth) => format!("auth          {auth}\n{}", explained.human),
                    None => explained.human,
                },
                Output::Json => explained.json.unwrap_or_default(),
            });
            ExitCode::SUCCESS
        }
        Err(Failure::Usage(message)) => {
            say(&message);
            ExitCode::from(USAGE)
        }
        Err(Failure::Refused(error)) => {
            let scim_type = error.scim_type.map(|scim_type| format!(" {}", scim_type.as_str())).unwrap_or_default();
            answer(&match args.format {
                Output::Human => format!("refused       {}{scim_type}: {}", error.status, error.detail),
                Output::Json => serde_json::to_string_pretty(&error.body()).unwrap_or_default(),
            });
            ExitCode::from(FINDINGS)
        }
    }
}

enum Failure {
    Usage(String),
    /// What the client would be told.
    Refused(ScimError),
}

impl From<ScimError> for Failure {
    fn from(error: ScimError) -> Self {
        Self::Refused(error)
    }
}

/// The plan of a request, in both forms.
struct Explained {
    human: String,
    json: Option<String>,
}

impl Explained {
    fn new(plan: &(impl Display + Serialize)) -> Self {
        Self { human: plan.to_string(), json: serde_json::to_string_pretty(plan).ok() }
    }
}

fn explain(mapping: &Mapping, request: &str, body: Option<&[u8]>, profile: &'static Profile) -> Result<Explained, Failure> {
    let usage = |why: &str| Failure::Usage(format!("{why}: write for example 'GET /Users?filter=userName eq \"ann\"'"));
    let (method, target) = request.trim().split_once(' ').ok_or_else(|| usage("the request has no method and path"))?;
    let (path, query) = target.trim().split_once('?').unwrap_or((target.trim(), ""));
    let endpoints: Vec<String> = mapping.resources.iter().map(|resource| resource.kind.endpoint.clone()).collect();
    let route = routes::resolve("", &endpoints, path)?;
    if !route.methods().iter().any(|known| known.as_str() == method) || method == "HEAD" {
        return Err(usage(&format!("{method} {} cannot be explained", route.pattern())));
    }
    // Typed by hand, a filter has blanks where a URL has `%20` or `+`; both are understood.
    let search = SearchRequest::from_query(form(query.replace(' ', "+").as_bytes()))?;
    let resource = |endpoint: &str| mapping.at(endpoint).ok_or_else(|| usage("there is no such endpoint"));
    let explainer =
        |endpoint: &str| Ok::<_, Failure>(Explainer { mapping, resource: resource(endpoint)?, base_url: BASE_URL, profile });
    let bytes =
        || body.ok_or_else(|| Failure::Usage(format!("{method} has a body: write --body FILE, or --body - to type it in")));
    let document = || Ok::<_, Failure>(json::parse(bytes()?)?);
    if body.is_some() && matches!(method, "GET" | "DELETE") {
        return Err(Failure::Usage(format!("{method} has no body: leave out --body")));
    }
    Ok(match (route, method) {
        (Route::Bulk, _) => Explained::new(&bulk(mapping, BASE_URL, profile, &BulkRequest::parse(bytes()?, profile)?)),
        (Route::Collection { endpoint }, "POST") => Explained::new(&explainer(&endpoint)?.create(document()?, &search)?),
        (Route::Collection { endpoint }, _) => Explained::new(&explainer(&endpoint)?.list(&search)?),
        (Route::Resource { endpoint, id }, "PUT") => Explained::new(&explainer(&endpoint)?.replace(&id, document()?, &search)?),
        (Route::Resource { endpoint, id }, "PATCH") => Explained::new(&explainer(&endpoint)?.patch(&id, document()?, &search)?),
        (Route::Resource { endpoint, id }, "DELETE") => Explained::new(&explainer(&endpoint)?.delete(&id)?),
        (Route::Resource { endpoint, id }, _) => Explained::new(&explainer(&endpoint)?.read(&id, &search)?),
        _ => return Err(usage("only resources, their lists and /Bulk can be explained")),
    })
}

/// The body, from a file or, for `-`, from stdin; no more of it than a request may have.
fn body_of(path: &Path) -> io::Result<Vec<u8>> {
    let most = limits::REQUEST_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
