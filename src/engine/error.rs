//! Errors of running a query, with Kusto's codes.

/// What stopped a query. The server maps each kind to a status and a Kusto error.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The text is wrong: syntax or semantics. At least one diagnostic of severity error.
    #[error("{}", diagnostics_text(.0))]
    Query(Vec<QueryDiagnostic>),
    /// A value made the query impossible to go on (`assert`, a regular expression too large …).
    #[error("{0}")]
    Evaluation(String),
    /// Something Kusto has and this server does not, named.
    #[error("{0} is not supported")]
    NotSupported(String),
    #[error(
        "Query execution has exceeded the allowed limits (80DA0001): it needs more than the {limit_bytes} bytes of memory a query may use (E_LOW_MEMORY_CONDITION); filter earlier, aggregate by fewer groups, or raise the limit"
    )]
    Memory { limit_bytes: u64 },
    #[error(
        "Query execution has exceeded the allowed limits (80DA0003): the result has more than {limit} {unit} (E_QUERY_RESULT_SET_TOO_LARGE; see https://aka.ms/kustoquerylimits); aggregate, take fewer rows, or set notruncation"
    )]
    ResultTooLarge { limit: u64, unit: &'static str },
    #[error("Query execution has exceeded its time limit of {seconds} seconds")]
    Timeout { seconds: u64 },
    #[error("Query was cancelled")]
    Cancelled,
    #[error("{0}")]
    Storage(String),
    /// A bug of ours: the query fails alone.
    #[error("internal error: {0}")]
    Internal(String),
}

/// A diagnostic as the engine reports it: byte offsets into the query text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryDiagnostic {
    pub code: String,
    pub is_syntax: bool,
    pub message: String,
    pub start: usize,
    pub length: usize,
    /// What was likely meant.
    pub hints: Vec<String>,
}

fn diagnostics_text(diagnostics: &[QueryDiagnostic]) -> String {
    diagnostics.iter().map(|d| format!("{}: {}", d.code, d.message)).collect::<Vec<_>>().join("\n")
}

impl From<conshelf_storage::StorageError> for EngineError {
    fn from(error: conshelf_storage::StorageError) -> EngineError {
        EngineError::Storage(error.to_string())
    }
}

/// Result of the engine.
pub type Result<T> = std::result::Result<T, EngineError>;
