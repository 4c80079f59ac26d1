//! The API's document against the gateway that serves it: schemathesis, which we did not write, makes calls of every kind
//! from the document, and whatever is answered otherwise than the document says is a failure. These tests must not say
//! what an answer should be.

use std::process::Stdio;

use tokio::process::Command;

use crate::gateway::{EVERYTHING, Gateway, Setup, World, both};
use crate::warning::{COUNTY, Warning};

/// How long it may take, beyond which nothing new is found.
const TIME: std::time::Duration = std::time::Duration::from_mins(2);

/// A tool of the virtual environment that `./test` makes.
fn tool(name: &str) -> Command {
    let home = std::env::var("TOCSIN_SCHEMATHESIS")
        .expect("TOCSIN_SCHEMATHESIS names no virtual environment with schemathesis: run ./test");
    let mut command = Command::new(format!("{home}/bin/{name}"));
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

async fn holds(mut command: Command) {
    let ended = tokio::time::timeout(TIME, command.output()).await;
    let output = ended.expect("it ends in time").expect("it starts");
    let said: String = both(&output).chars().take(20_000).collect();
    assert!(output.status.success(), "{said}");
}

#[tokio::test]
async fn the_document_is_openapi_3_1() {
    let document = "docs/openapi.json";
    let mut command = tool("openapi-spec-validator");
    command.args(["--schema", "3.1", document]);
    holds(command).await;
}

/// The lines that stay open have tests of their own, and cannot be asked to their end.
const OPEN: [&str; 2] = ["/v1/alerts/{id}/live", "/v1/live"];

async fn fuzz(gateway: &Gateway, phases: &str, examples: &str) {
    let mut command = tool("st");
    command
        .current_dir(gateway.path(""))
        .args(["run", &format!("{}/v1/openapi.json", gateway.base)])
        .args(["--header", &format!("Authorization: Bearer {EVERYTHING}")])
        .args(OPEN.iter().flat_map(|path| ["--exclude-path", path]))
        .args(["--phases", phases, "--max-examples", examples])
        // The same calls each time.
        .args(["--generation-deterministic", "--no-shrink"])
        .args(["--continue-on-failure"])
        .args(["--request-timeout", "20", "--warnings", "off", "--no-color"])
        .args(["--checks", CHECKS]);
    holds(command).await;
}

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
response_schema_conformance,response_headers_conformance,unsupported_method,allow_header_conformance";

#[tokio::test]
async fn nothing_is_answered_that_the_document_does_not_say() {
    let world = World::start(Setup::default()).await;
    world.gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    world.gateway.ended(1).await;
    fuzz(&world.gateway, "examples,coverage,fuzzing", "10").await;
    let ready = world.gateway.get("/readyz").await;
    assert!(ready["status"].is_string(), "it still serves: {ready}");
}
