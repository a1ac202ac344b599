//! What is sensitive: a contract's rules, or the columns that a line names.

use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::tree;
use mesh_avro::keys::KeyRing;
use mesh_avro::mask::{CompileError, Guard, MaskError, Program, Rules, Scratch};
use mesh_avro::schema::{Schema, SchemaError};
use mesh_contract::{Declared, Finding, MASKED_VIEW};
use serde_json::Value;
use std::error::Error;
use std::path::{Path, PathBuf};

/// A contract with its schema and its rules.
pub(super) struct Contract {
    pub(super) rules: Rules,
    pub(super) schema: Schema,
}

impl Contract {
    /// Reads and checks a contract and its schema. Findings go to standard error.
    pub(super) fn read(file: &Path, context: &Context) -> Result<Contract, Failure> {
        let name = file.display().to_string();
        let text = read_text(file, "the contract")?;
        let contract = mesh_contract::parse_contract(&name, &text).map_err(|found| unsound(&name, &found))?;
        let (root, schema_file) = find_schema(file, &contract, context)?;
        let schema = parsed(&schema_file, |text| tree::parse_schema(&root, text))?;
        let rules = Rules::check(&contract, &schema).map_err(|found| unsound(&name, &found))?;
        rules.warnings().iter().for_each(|finding| output::talk(&finding.to_string()));
        Ok(Contract { rules, schema })
    }

    /// The number of a view.
    pub(super) fn view(&self, name: &str) -> Result<usize, Failure> {
        let views = self.rules.views();
        views.iter().position(|known| known == name).ok_or_else(|| {
            Failure::usage(format!("the contract has no view {name:?}"))
                .hint(format!("its views: {}", views.join(", ")))
        })
    }
}

/// Reads a schema's file.
pub(super) fn read_schema(file: &Path) -> Result<Schema, Failure> {
    parsed(file, Schema::parse)
}

fn parsed(file: &Path, parse: impl Fn(&str) -> Result<Schema, SchemaError>) -> Result<Schema, Failure> {
    let text = read_text(file, "the schema")?;
    parse(&text).map_err(|error| {
        let place = error.position.map_or(String::new(), |at| format!(":{}:{}", at.line, at.column));
        let hint = error.hint();
        let failure = Failure::findings(format!("{}{place}: not a valid schema", file.display()));
        let failure = failure.because(Told(schema_fault(&error)));
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })
}

/// What is wrong with a schema, in a line.
fn schema_fault(error: &SchemaError) -> String {
    format!("{error}: {}", error.fault)
}

fn read_text(file: &Path, what: &str) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        Failure::usage(format!("cannot read {what} {}", file.display()))
            .because(error)
            .hint("give the path of an existing file")
    })
}

/// The schema's file and the root that its path is relative to; a contract outside any working tree is looked for beside its own.
fn find_schema(
    file: &Path,
    contract: &Declared<mesh_contract::Contract>,
    context: &Context,
) -> Result<(PathBuf, PathBuf), Failure> {
    let schema = &contract.value.schema;
    let above = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let roots = context.root().ok().into_iter().chain(above.ancestors().skip(1).map(Path::to_owned));
    let mut files = roots.map(|root| (root.clone(), root.join(schema)));
    files.find(|(_, path)| path.is_file()).ok_or_else(|| {
        Failure::usage(format!("cannot find {schema}, the schema of {}", file.display()))
            .hint("run in the working tree that holds it, or give --root")
    })
}

fn unsound(name: &str, findings: &[Finding]) -> Failure {
    findings.iter().for_each(|finding| output::talk(&finding.to_string()));
    Failure::findings(format!("{name} does not hold")).hint("mend the findings above; `mesh check` shows them all")
}

/// A text as an error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);

/// What one view shows of data of one schema.
pub(super) enum Mask {
    Program {
        program: Box<Program>,
        view: usize,
    },
    /// Nothing is sensitive: data are only validated.
    Guard(Box<Guard>),
}

impl Mask {
    /// The view of a datum.
    pub(super) fn apply<'a>(&self, scratch: &'a mut Scratch, datum: &'a [u8]) -> Result<&'a [u8], MaskError> {
        match self {
            Mask::Program { program, view } => {
                program.run(scratch, datum)?;
                Ok(scratch.output(*view, datum))
            }
            Mask::Guard(guard) => {
                guard.check(scratch, datum)?;
                Ok(datum)
            }
        }
    }
}

/// A refusal: a stable code and what a person reads.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into() }
    }
}

impl From<MaskError> for Refusal {
    fn from(error: MaskError) -> Refusal {
        Refusal::new(error.code(), error.to_string())
    }
}

/// What is sensitive in data of any schema.
pub(super) struct Rulebook<'a> {
    contract: Option<(&'a Contract, usize)>,
    keys: &'a dyn KeyRing,
}

impl<'a> Rulebook<'a> {
    /// With a contract, its view; without, the columns that lines name, masked.
    pub(super) fn new(
        contract: Option<&'a Contract>,
        view: &str,
        keys: &'a dyn KeyRing,
    ) -> Result<Rulebook<'a>, Failure> {
        if contract.is_none() && view != MASKED_VIEW {
            return Err(Failure::usage(format!("there is no view {view:?} without a contract"))
                .hint("give --contract, or leave --view out"));
        }
        let contract = contract.map(|contract| contract.view(view).map(|view| (contract, view))).transpose()?;
        Ok(Rulebook { contract, keys })
    }

    /// The mask of a schema. Columns of the line's own take the contract's place.
    pub(super) fn mask(&self, schema: &Value, columns: Option<&Value>) -> Result<Mask, Refusal> {
        let writer = parse_schema(schema)?;
        if let Some(columns) = columns {
            if !columns.is_array() {
                return Err(Refusal::new("columns-invalid", "sensitive_columns is not a list, as in a contract"));
            }
            let columns = mesh_contract::parse_sensitive_columns("sensitive_columns", &columns.to_string());
            let columns = columns.map_err(|found| refused(&found))?;
            let rules = Rules::of_columns(&columns.value, &writer).map_err(|found| refused(&found))?;
            return self.program(&rules, &writer, 0);
        }
        match &self.contract {
            Some((contract, view)) => self.program(&contract.rules, &writer, *view),
            None => Guard::new(&writer).map(|guard| Mask::Guard(Box::new(guard))).map_err(|error| not_compiled(&error)),
        }
    }

    fn program(&self, rules: &Rules, writer: &Schema, view: usize) -> Result<Mask, Refusal> {
        let program = Program::compile(rules, writer, self.keys).map_err(|error| not_compiled(&error))?;
        Ok(Mask::Program { program: Box::new(program), view })
    }
}

/// A schema inline, or its text in a string. A string that is no JSON of a schema's form is a type's name.
fn parse_schema(json: &Value) -> Result<Schema, Refusal> {
    let parsed = match json {
        Value::String(text) if text.trim_start().starts_with(['{', '[', '"']) => Schema::parse(text),
        inline => Schema::parse_value(inline),
    };
    parsed.map_err(|error| Refusal::new("schema-invalid", schema_fault(&error)))
}

fn refused(findings: &[Finding]) -> Refusal {
    let errors = findings.iter().filter(|finding| finding.is_error());
    let message: Vec<&str> = errors.map(|finding| finding.message.as_str()).collect();
    Refusal::new(findings.first().map_or("columns-invalid", |finding| finding.rule), message.join("; "))
}

pub(super) fn not_compiled(error: &CompileError) -> Refusal {
    let code = match error {
        CompileError::Key { .. } => "key-unavailable",
        CompileError::Conflict { .. } => "mask-conflict",
        CompileError::Unrelated { .. } => "schema-unrelated",
        CompileError::TooLarge { .. } => "schema-too-large",
        _ => "not-compiled",
    };
    let because = error.source().map_or(String::new(), |source| format!(": {source}"));
    Refusal::new(code, format!("{error}{because}"))
}
