//! The committed contract, as the checks want it. Whether it is what the code says is `make lint`'s business.

use std::sync::LazyLock;

use freehold::authz::{Hierarchy, OperationPolicy, PolicyFiles, Registry};
use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::harness::Answer;

/// One operation.
pub struct Operation {
    /// Its id.
    pub id: String,
    /// Its method.
    pub method: Method,
    /// Its path, with names in braces.
    pub path: String,
    /// Its parameters, as the contract has them.
    pub parameters: Vec<Value>,
    /// The schema of its body, references resolved at the top.
    pub body: Option<Value>,
    /// Its line of the registry.
    pub policy: OperationPolicy,
    /// That line, as the contract repeats it.
    pub registered: Value,
    success: u16,
    media_type: String,
    answer: Option<Validator>,
}

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../openapi/openapi.json")).unwrap());

/// What is left out, because it follows a standard whose bodies and errors are its own: the same is asked of it by hand,
/// in the files that are named.
const OF_STANDARDS: [(&str, &str); 2] =
    [("oauth_introspect", "service_accounts/oauth.rs"), ("oauth_revoke", "service_accounts/oauth.rs")];

/// The status of what goes on as something else than HTTP (RFC 9110, 15.2.2).
const SWITCHED: &str = "101";

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let items = paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(move |(method, operation)| Operation::read(path, method, operation))
    });
    let (left_out, items): (Vec<_>, Vec<_>) =
        items.partition(|operation: &Operation| OF_STANDARDS.iter().any(|(id, _)| *id == operation.id));
    assert_eq!(left_out.len(), OF_STANDARDS.len(), "something is left out that is not there");
    assert!(left_out.iter().all(|operation| operation.policy.protocol.is_some()), "what follows no standard is asked");
    items
});

static PROBLEM: LazyLock<Validator> = LazyLock::new(|| validator(&json!({"$ref": "#/components/schemas/Problem"})));

/// Whether an operation is left out of what [`operations`] gives.
pub fn is_left_out(id: &str) -> bool {
    OF_STANDARDS.iter().any(|(known, _)| *known == id)
}

/// Every operation of the contract, but those of standards that have their own forms.
pub fn operations() -> &'static [Operation] {
    &OPERATIONS
}

/// The operation with this id.
pub fn operation(id: &str) -> &'static Operation {
    operations().iter().find(|operation| operation.id == id).unwrap_or_else(|| panic!("{id} is no operation"))
}

/// The roles as they ship.
pub fn hierarchy() -> Hierarchy {
    Hierarchy::parse(&PolicyFiles::default().roles).unwrap()
}

/// The registry as it ships.
pub fn policies() -> Registry {
    Registry::parse(&PolicyFiles::default().operations, &hierarchy()).unwrap()
}

/// The constraints of a property: the schema behind its reference.
pub fn resolved(schema: &Value) -> Value {
    let by_reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    match by_reference {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap().clone(),
        None => schema.clone(),
    }
}

impl Operation {
    fn read(path: &str, method: &str, operation: &Value) -> Self {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        let policies = policies();
        let (_, policy) = policies.find(&id).unwrap_or_else(|| panic!("{id} has no line in policies/operations.csv"));
        let responses = operation["responses"].as_object().unwrap();
        let (status, response) =
            // Where something is made, 200 means that more is asked for first.
            responses.get_key_value("201").or_else(|| {
                responses.iter().find(|(status, _)| status.starts_with('2') || *status == SWITCHED)
            }).unwrap();
        Self {
            method: method.to_uppercase().parse().unwrap(),
            path: path.to_owned(),
            parameters: operation["parameters"].as_array().cloned().unwrap_or_default(),
            body: schema_of(&operation["requestBody"]).map(resolved),
            policy: policy.clone(),
            registered: operation["x-freehold"].clone(),
            success: status.parse().unwrap(),
            media_type: response["content"]
                .as_object()
                .and_then(|content| content.keys().next())
                .cloned()
                .unwrap_or_default(),
            // What follows it is no answer.
            answer: schema_of(response).filter(|_| status != SWITCHED).map(validator),
            id,
        }
    }

    /// The parameters of a place (`path`, `query`, `header`) by name.
    pub fn parameters_in(&self, place: &str) -> impl Iterator<Item = (&str, &Value)> {
        let there = self.parameters.iter().filter(move |parameter| parameter["in"] == place);
        there.map(|parameter| (parameter["name"].as_str().unwrap(), &parameter["schema"]))
    }

    /// Whether it has a parameter of this name.
    pub fn takes(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter["name"] == name)
    }

    /// The properties of its body.
    pub fn properties(&self) -> Map<String, Value> {
        let properties = self.body.as_ref().and_then(|body| body["properties"].as_object()).cloned();
        properties.unwrap_or_default()
    }

    /// Whether a property of its body is required.
    pub fn requires(&self, property: &str) -> bool {
        let required = self.body.as_ref().and_then(|body| body["required"].as_array());
        required.is_some_and(|names| names.iter().any(|name| name == property))
    }

    /// Whether it begins something that is no HTTP any more.
    pub fn upgrades(&self) -> bool {
        self.success == 101
    }

    /// Whether an answer is the success that the contract describes.
    ///
    /// # Errors
    /// What it is instead.
    pub fn succeeded(&self, answer: &Answer) -> Result<(), String> {
        if answer.status != self.success {
            return Err(format!("the contract says {}, but {answer}", self.success));
        }
        let Some(schema) = &self.answer else {
            return if answer.text.is_empty() { Ok(()) } else { Err(format!("nothing was promised, but {answer}")) };
        };
        // A file has no schema, only a name.
        if self.media_type == "application/octet-stream" {
            let named = answer.header("content-disposition").starts_with("attachment; filename=\"");
            let bytes = answer.header("content-type") == self.media_type;
            return if named && bytes { Ok(()) } else { Err(format!("is no file: {answer}")) };
        }
        if answer.header("content-type") != "application/json; charset=utf-8" {
            return Err(format!("has the media type {:?}", answer.header("content-type")));
        }
        valid(schema, &answer.json)
    }
}

/// Whether an answer is a problem document as the contract describes it.
///
/// # Errors
/// What it is instead.
pub fn is_problem(answer: &Answer) -> Result<(), String> {
    answer.problem_code()?;
    valid(&PROBLEM, &answer.json)
}

fn schema_of(of: &Value) -> Option<&Value> {
    of["content"].as_object()?.values().next().map(|content| &content["schema"])
}

/// A schema of the contract in which an object has the properties that are named, and no others.
fn validator(schema: &Value) -> Validator {
    let mut components = DOCUMENT["components"].clone();
    for schema in components["schemas"].as_object_mut().unwrap().values_mut() {
        if schema.get("properties").is_some() {
            schema["additionalProperties"] = json!(false);
        }
    }
    let whole = json!({"allOf": [schema], "components": components});
    jsonschema::options().should_validate_formats(true).build(&whole).unwrap()
}

fn valid(schema: &Validator, answer: &Value) -> Result<(), String> {
    let faults: Vec<_> = schema.iter_errors(answer).map(|fault| format!("{} {fault}", fault.instance_path())).collect();
    if faults.is_empty() { Ok(()) } else { Err(format!("is not what the contract says: {}", faults.join("; "))) }
}
