//! Bodies of query and command requests: JSON in several dialects, read into one value.

use serde_json::{Map, Value};

use crate::query::{Parameter, ParameterValue};
use crate::server::error::ApiError;
use crate::server::options::RequestOptions;

/// A request for an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryBody {
    /// Empty: the default database.
    pub database: String,
    pub text: String,
    pub options: RequestOptions,
    pub parameters: Vec<Parameter>,
    pub client_request_id: Option<String>,
}

/// A member of an object by its name in any case.
fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object
        .get(name)
        .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

impl QueryBody {
    /// Reads `{"db","csl","properties"}`.
    pub fn parse(body: &[u8]) -> Result<QueryBody, ApiError> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(ApiError::bad_request("the body is empty; send {\"db\": …, \"csl\": …} as JSON"));
        }
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))?;
        let Value::Object(object) = value else {
            return Err(ApiError::bad_request("the body must be a JSON object with 'db' and 'csl'"));
        };
        let database = match member(&object, "db") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(name)) => name.trim().to_owned(),
            Some(_) => return Err(ApiError::bad_request("'db' must be a string")),
        };
        let text = match member(&object, "csl") {
            Some(Value::String(text)) if !text.trim().is_empty() => text.clone(),
            Some(Value::String(_)) => {
                return Err(ApiError::bad_request("'csl' is blank; it must hold a query"));
            }
            Some(Value::Null) | None => {
                return Err(ApiError::bad_request("'csl' is missing; it must hold a query"));
            }
            Some(_) => return Err(ApiError::bad_request("'csl' must be a string")),
        };
        let mut request = QueryBody { database, text, ..QueryBody::default() };
        if let Some(properties) = member(&object, "properties") {
            request.read_properties(properties)?;
        }
        Ok(request)
    }

    /// `properties`: null, an object, or a string that holds an object.
    pub fn read_properties(&mut self, properties: &Value) -> Result<(), ApiError> {
        let parsed;
        let object = match properties {
            Value::Null => return Ok(()),
            Value::Object(object) => object,
            Value::String(text) if text.trim().is_empty() => return Ok(()),
            Value::String(text) => {
                parsed = serde_json::from_str::<Value>(text)
                    .map_err(|error| ApiError::bad_request(format!("'properties' is not JSON: {error}")))?;
                match &parsed {
                    Value::Object(object) => object,
                    Value::Null => return Ok(()),
                    _ => return Err(ApiError::bad_request("'properties' must hold a JSON object")),
                }
            }
            _ => return Err(ApiError::bad_request("'properties' must be an object or a string with JSON")),
        };
        match member(object, "options") {
            None | Some(Value::Null) => {}
            Some(Value::Object(options)) => {
                for (name, value) in options {
                    self.options.set(name, value);
                }
            }
            Some(_) => return Err(ApiError::bad_request("'properties.Options' must be an object")),
        }
        match member(object, "parameters") {
            None | Some(Value::Null) => {}
            Some(Value::Object(parameters)) => {
                for (name, value) in parameters {
                    let value = match value {
                        Value::Null => continue,
                        Value::Bool(flag) => ParameterValue::Literal(flag.to_string()),
                        Value::Number(number) => ParameterValue::Literal(number.to_string()),
                        Value::String(text) => ParameterValue::Text(text.clone()),
                        other => ParameterValue::Literal(format!("dynamic({other})")),
                    };
                    self.parameters.push(Parameter { name: name.clone(), value });
                }
            }
            Some(_) => return Err(ApiError::bad_request("'properties.Parameters' must be an object")),
        }
        if let Some(Value::String(id)) = member(object, "clientrequestid") {
            self.client_request_id = Some(id.clone());
        }
        Ok(())
    }
}

/// Reads any bytes as a request body; for fuzzing. Must neither panic nor hang.
pub fn fuzz_request_body(data: &[u8]) {
    if let Err(error) = QueryBody::parse(data) {
        let context = crate::server::error::ErrorContext {
            text: String::from_utf8_lossy(data).into_owned(),
            ..Default::default()
        };
        let _ = error.one_api(&context);
        let _ = error.friendly_json(&context.text);
    }
}

/// The text without the comments and blank lines before it. A command begins with a dot there.
pub fn skip_leading_comments(text: &str) -> &str {
    let mut rest = text.trim_start_matches(['\u{feff}']).trim_start();
    while let Some(comment) = rest.strip_prefix("//") {
        rest = match comment.find('\n') {
            Some(end) => comment[end..].trim_start(),
            None => "",
        };
    }
    rest
}

/// Whether the text is a management command.
pub fn is_command(text: &str) -> bool {
    skip_leading_comments(text).starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_in_every_form() {
        let forms = [
            r#"{"db":"D","csl":"T"}"#,
            r#"{"db":"D","csl":"T","properties":null}"#,
            r#"{"db":"D","csl":"T","properties":{}}"#,
            r#"{"db":"D","csl":"T","properties":""}"#,
            r#"{"DB":"D","CSL":"T","Properties":"{\"Options\":{},\"Parameters\":{}}"}"#,
            "\u{feff}{\"db\":\"D\",\"csl\":\"T\",\"querySource\":\"schema\"}",
        ];
        for form in forms {
            let body = QueryBody::parse(form.as_bytes()).expect(form);
            assert_eq!((body.database.as_str(), body.text.as_str()), ("D", "T"), "{form}");
        }
        for form in [
            r#"{"csl":"T","properties":{"options":{"notruncation":true},"Parameters":{"n":10,"s":"O'Brien"}}}"#,
            r#"{"csl":"T","properties":"{\"Options\":{\"notruncation\":\"true\"},\"Parameters\":{\"n\":10,\"s\":\"O'Brien\"}}"}"#,
        ] {
            let body = QueryBody::parse(form.as_bytes()).expect(form);
            assert!(body.options.no_truncation && body.database.is_empty());
            assert_eq!(body.parameters.len(), 2);
            assert_eq!(body.parameters[1].value, ParameterValue::Text("O'Brien".to_owned()));
        }
    }

    #[test]
    fn malformed_bodies_are_bad_requests() {
        let deep = "[".repeat(100_000);
        for body in [
            "",
            "  ",
            "null",
            "[]",
            "{",
            "\u{0}",
            "{}",
            r#"{"csl":""}"#,
            r#"{"csl":"  "}"#,
            r#"{"csl":1}"#,
            r#"{"csl":"T","db":1}"#,
            r#"{"csl":"T","properties":1}"#,
            r#"{"csl":"T","properties":"x"}"#,
            r#"{"csl":"T","properties":{"Options":1}}"#,
            r#"{"csl":"T","properties":{"Parameters":[]}}"#,
            &deep,
        ] {
            let error = QueryBody::parse(body.as_bytes()).expect_err(body);
            assert_eq!(error.status, 400);
            fuzz_request_body(body.as_bytes());
        }
        assert!(QueryBody::parse(&[0xff, 0xfe, 0x7b]).is_err());
    }

    #[test]
    fn commands_are_told_from_queries_behind_comments() {
        assert!(is_command(" \n// a comment\n\n// more\n.show tables"));
        assert!(is_command(".show version"));
        assert!(!is_command("// .show\nT"));
        assert!(!is_command("// only a comment"));
        assert!(!is_command("print 1"));
    }
}
