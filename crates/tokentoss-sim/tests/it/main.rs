//! The flow in a simulated world; one file per capability or attack. Runs natively and on wasm.

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

mod asleep;
mod attack_hostile_page;
mod attack_impostor;
mod attack_iopub;
mod attack_mix_up;
mod attack_replayed_answer;
mod attack_saved_ticket;
mod attack_strangers_envelope;
mod authorization_request;
mod callback_page;
mod cancelled;
mod client_authentication;
mod clock_jumps;
mod clock_skew;
mod code_cancelled;
mod code_polling;
mod denied_consent;
mod deposit;
#[cfg(not(target_arch = "wasm32"))]
mod device_vectors;
#[cfg(not(target_arch = "wasm32"))]
mod diagram;
mod double_click;
mod duplicate_parameters;
mod exchange_in_kernel;
mod forged;
mod hand_over;
mod happy_path;
mod id_token_claims;
mod introduction;
mod kernel_code;
mod kernel_lost;
mod link_by_hand;
mod loopback_unreachable;
mod message_flood;
mod page_severs_popups;
mod paste;
mod paste_bare_code;
mod paste_hostile_address;
mod paste_not_an_address;
mod paste_replayed;
mod paste_truncated;
mod paste_wrong_state;
mod popup_blocked;
mod popup_closed;
mod probe;
#[cfg(not(target_arch = "wasm32"))]
mod properties;
#[cfg(not(target_arch = "wasm32"))]
mod providers;
mod redaction;
mod refused_registration;
mod registration_by_message;
mod sealing;
mod sign_in_by_code;
mod ticket;
mod timed_out;
mod token_endpoint_errors;
mod token_response_bodies;
mod two_widgets;
#[cfg(not(target_arch = "wasm32"))]
mod vectors;
mod wrong_issuer;
mod wrong_origin;
mod wrong_source;
mod wrong_state;
