//! `scimitar explain`: the plan of a request, without sending anything.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use form_urlencoded::parse as form;

use super::{FINDINGS, Output, USAGE, answer, say};
use crate::app::{Placeholders, read_mapping_with};
use crate::mapping::Mapping;
use crate::scim::messages::SearchRequest;
use crate::scim::{Profile, ScimError};
use crate::server::routes::{self, Route};
use crate::translate::explain::{Explainer, Explanation};

/// The base URL in explained requests.
const BASE_URL: &str = "https://scim.example.com/scim/v2";

/// What `explain` understands.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ExplainArgs {
    /// The mapping
    pub mapping: PathBuf,
    /// Method and path: `GET /Users?filter=userName eq "ann"`
    pub request: String,
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
    match explain(&mapping, &args.request, profile) {
        Ok(explanation) => {
            answer(&match args.format {
                Output::Human => explanation.to_string(),
                Output::Json => serde_json::to_string_pretty(&explanation).unwrap_or_default(),
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

fn explain(mapping: &Mapping, request: &str, profile: &'static Profile) -> Result<Explanation, Failure> {
    let usage = |why: &str| Failure::Usage(format!("{why}: write for example 'GET /Users?filter=userName eq \"ann\"'"));
    let (method, target) = request.trim().split_once(' ').ok_or_else(|| usage("the request has no method and path"))?;
    if method != "GET" {
        return Err(usage(&format!("{method} requests cannot be explained yet")));
    }
    let (path, query) = target.trim().split_once('?').unwrap_or((target.trim(), ""));
    let endpoints: Vec<String> = mapping.resources.iter().map(|resource| resource.kind.endpoint.clone()).collect();
    let route = routes::resolve("", &endpoints, path)?;
    // Typed by hand, a filter has blanks where a URL has `%20` or `+`; both are understood.
    let search = SearchRequest::from_query(form(query.replace(' ', "+").as_bytes()))?;
    let resource = |endpoint: &str| mapping.at(endpoint).ok_or_else(|| usage("there is no such endpoint"));
    let explainer = |resource| Explainer { mapping, resource, base_url: BASE_URL, profile };
    match route {
        Route::Collection { endpoint } => Ok(explainer(resource(&endpoint)?).list(&search)?),
        Route::Resource { endpoint, id } => Ok(explainer(resource(&endpoint)?).read(&id, &search)?),
        _ => Err(usage("only resources and their lists can be explained")),
    }
}
