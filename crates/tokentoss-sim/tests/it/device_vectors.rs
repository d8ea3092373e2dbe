//! What Rust and Python make of the answers of a device authorization grant, by the same vectors.

use std::time::Duration;

use serde_json::{Value, json};
use tokentoss_core::device_authorization::{DeviceAuthorization, Polling};
use tokentoss_core::endpoint::EndpointUrl;
use tokentoss_core::form_request::EndpointAnswer;
use tokentoss_core::{Secret, Ticket};
use tokentoss_sim::{Kernel, PAGE};

use crate::vectors::read;

fn answer(vector: &Value) -> EndpointAnswer {
    let status = u16::try_from(vector["status"].as_u64().expect("a status")).expect("a status");
    EndpointAnswer { status, body: Secret::new(vector["body"].as_str().expect("a body").into()) }
}

#[test]
fn device_authorization_answers() {
    let endpoint = EndpointUrl::parse("https://as.example/device_authorization").expect("an endpoint");
    let vectors = read("device_authorization.json");
    for vector in vectors.as_array().expect("a list") {
        let name = &vector["name"];
        match DeviceAuthorization::read(&answer(vector), &endpoint) {
            Ok(code) => {
                let shown = json!({
                    "user_code": code.user_code,
                    "verification_uri": code.verification_uri.as_str(),
                    "complete": code.complete.as_ref().map(EndpointUrl::as_str),
                    "expires_in": code.expires_in.as_secs(),
                    "interval": code.interval.as_secs(),
                });
                assert_eq!(shown, vector["shown"], "{name}");
                assert_eq!(code.device_code.expose(), "d-1");
            }
            Err(error) => {
                assert_eq!(Some(error.code().as_str()), vector["code"].as_str(), "{name}");
                if let Some(member) = vector["member"].as_str() {
                    assert_eq!(error.is_about().map(|about| about.as_str()), Some(member), "{name}");
                }
            }
        }
    }
}

#[test]
fn polling_decisions() {
    let mut kernel = Kernel::new(&mut rand_core::SeedableRng::seed_from_u64(1));
    let ticket = Ticket::from_json(&kernel.ticket().to_string(), PAGE).expect("a ticket");
    let vectors = read("device_polling.json");
    for vector in vectors.as_array().expect("a list") {
        let mut polling = Polling::new(Duration::from_secs(vector["interval"].as_u64().expect("seconds")));
        let (mut pauses, mut end) = (Vec::new(), String::new());
        for poll in vector["polls"].as_array().expect("a list") {
            assert_eq!(end, "", "nothing comes after the end");
            let answer = (!poll.is_null()).then(|| answer(poll));
            match polling.take(answer.as_ref(), &ticket) {
                Ok(None) => pauses.push(polling.pause().as_secs()),
                Ok(Some(_)) => end = "tokens".into(),
                Err(error) => end = error.code().as_str().into(),
            }
        }
        assert_eq!(
            (json!(pauses), json!(end)),
            (vector["pauses"].clone(), vector["end"].clone()),
            "{}",
            vector["name"]
        );
    }
}
