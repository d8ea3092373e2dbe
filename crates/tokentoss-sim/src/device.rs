//! The simulated provider's device authorization grant (RFC 8628).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::endpoint::{Answer, CLIENT_ID};

/// The grant type of its polls.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What the user has done with the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// Nothing yet.
    NotYet,
    /// Entered it and accepted.
    Accepted,
    /// Entered it and declined.
    Declined,
}

/// The device authorization endpoint, and what became of its codes.
pub struct Device {
    /// How the endpoint answers.
    pub answer: Answer,
    /// What the user has done with every code.
    pub entered: Entered,
    /// Says `slow_down` this many times.
    pub slow_downs: u32,
    /// Changes the answer before it is sent.
    pub tamper: fn(&mut Map<String, Value>),
    /// Every form that the endpoint received.
    pub requests: Vec<BTreeMap<String, String>>,
    codes: Vec<String>,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            answer: Answer::Honest,
            entered: Entered::NotYet,
            slow_downs: 0,
            tamper: |_| {},
            requests: Vec::new(),
            codes: Vec::new(),
        }
    }
}

impl Device {
    /// The device authorization endpoint: status and body; `None` when nothing comes back.
    ///
    /// # Panics
    /// When the request holds anything that it should not.
    pub fn authorize(&mut self, form: BTreeMap<String, String>) -> Option<(u16, String)> {
        let names: Vec<&str> = form.keys().map(String::as_str).collect();
        assert_eq!(names, ["client_id", "scope"]);
        assert_eq!(form["client_id"], CLIENT_ID);
        self.requests.push(form);
        match self.answer.clone() {
            Answer::Honest => {
                let serial = self.codes.len() + 1;
                self.codes.push(format!("device-secret-{serial}"));
                let mut answer = Map::new();
                let members = json!({
                    "device_code": self.codes.last(),
                    "user_code": format!("CODE-{serial}"),
                    "verification_uri": "https://as.example/device",
                    "verification_uri_complete": format!("https://as.example/device?user_code=CODE-{serial}"),
                    "expires_in": 600,
                });
                answer.extend(members.as_object().cloned().unwrap_or_default());
                (self.tamper)(&mut answer);
                Some((200, Value::Object(answer).to_string()))
            }
            Answer::Raw(status, body) => Some((status, body)),
            Answer::Unreachable | Answer::Silent => None,
        }
    }

    /// What a poll brings: whether there are tokens for it.
    pub fn redeem(&mut self, form: &BTreeMap<String, String>) -> Result<(), &'static str> {
        let names: Vec<&str> = form.keys().map(String::as_str).collect();
        assert_eq!(names, ["client_id", "device_code", "grant_type"]);
        if form["client_id"] != CLIENT_ID {
            return Err("invalid_client");
        }
        if self.codes.last() != Some(&form["device_code"]) {
            return Err("invalid_grant");
        }
        if self.slow_downs > 0 {
            self.slow_downs -= 1;
            return Err("slow_down");
        }
        match self.entered {
            Entered::NotYet => Err("authorization_pending"),
            Entered::Declined => Err("access_denied"),
            Entered::Accepted => {
                self.codes.clear();
                Ok(())
            }
        }
    }
}
