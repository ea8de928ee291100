//! A session with an editor: its documents, and the answers to its questions. Speaks the Language Server Protocol; what a
//! query means is `conshelf_kql::editor`'s.

use std::collections::HashMap;
use std::sync::RwLock;

use conshelf_kql::editor::{self, CompletionKind, position};
use conshelf_kql::span::Span;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CompletionItem, CompletionItemKind,
    CompletionOptions, CompletionParams, CompletionTextEdit, Diagnostic, DiagnosticSeverity,
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DocumentFormattingParams, DocumentSymbol, DocumentSymbolParams, Documentation, GotoDefinitionParams,
    Hover, HoverContents, HoverParams, HoverProviderCapability, InsertTextFormat, Location, MarkupContent,
    MarkupKind, NumberOrString, OneOf, ParameterInformation, ParameterLabel, Position,
    PublishDiagnosticsParams, Range, ReferenceParams, RenameParams, SemanticToken, SemanticTokenType,
    SemanticTokens, SemanticTokensFullOptions, SemanticTokensLegend, SemanticTokensOptions,
    SemanticTokensParams, ServerCapabilities, SignatureHelp, SignatureHelpOptions, SignatureHelpParams,
    SignatureInformation, SymbolKind, TextDocumentPositionParams, TextDocumentSyncCapability,
    TextDocumentSyncKind, TextEdit, Uri, WorkspaceEdit,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::catalog::RemoteCatalog;

/// What the server can do.
fn capabilities() -> ServerCapabilities {
    let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::INCREMENTAL)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(text(&["|", " ", ".", "(", "=", "'", "[", ","])),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: Some(text(&["(", ","])),
            ..SignatureHelpOptions::default()
        }),
        document_formatting_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(lsp_types::CodeActionProviderCapability::Simple(true)),
        semantic_tokens_provider: Some(
            SemanticTokensOptions {
                legend: SemanticTokensLegend { token_types: legend(), token_modifiers: Vec::new() },
                full: Some(SemanticTokensFullOptions::Bool(true)),
                ..SemanticTokensOptions::default()
            }
            .into(),
        ),
        ..ServerCapabilities::default()
    }
}

/// The names of the classes of tokens that editors colour, by [`editor::Classification::ALL`].
fn legend() -> Vec<SemanticTokenType> {
    use editor::Classification as C;
    C::ALL
        .iter()
        .map(|class| match class {
            C::Comment | C::Directive => SemanticTokenType::COMMENT,
            C::String => SemanticTokenType::STRING,
            C::Number | C::Literal => SemanticTokenType::NUMBER,
            C::Keyword | C::QueryOperator => SemanticTokenType::KEYWORD,
            C::Operator | C::Punctuation | C::Bad => SemanticTokenType::OPERATOR,
            C::Type => SemanticTokenType::TYPE,
            C::Column => SemanticTokenType::PROPERTY,
            C::Table => SemanticTokenType::CLASS,
            C::Variable | C::Name => SemanticTokenType::VARIABLE,
            C::Function | C::Aggregate => SemanticTokenType::FUNCTION,
            C::Plugin => SemanticTokenType::METHOD,
            C::Parameter => SemanticTokenType::PARAMETER,
            C::Database => SemanticTokenType::NAMESPACE,
        })
        .collect()
}

/// Talks to an editor until it says goodbye.
pub fn run(connection: &Connection, schema: &RwLock<RemoteCatalog>) -> Result<(), String> {
    let (id, _) = connection.initialize_start().map_err(|error| error.to_string())?;
    let result = serde_json::json!({
        "capabilities": capabilities(),
        "serverInfo": {"name": "conshelf", "version": env!("CARGO_PKG_VERSION")},
    });
    connection.initialize_finish(id, result).map_err(|error| error.to_string())?;
    let mut session = Session { connection, schema, documents: HashMap::new() };
    for message in &connection.receiver {
        match message {
            Message::Request(request) => {
                if connection.handle_shutdown(&request).map_err(|error| error.to_string())? {
                    return Ok(());
                }
                let response = session.answer(request);
                connection.sender.send(response.into()).map_err(|error| error.to_string())?;
            }
            Message::Notification(notification) => session.heed(notification),
            Message::Response(_) => {}
        }
    }
    Ok(())
}

struct Session<'a> {
    connection: &'a Connection,
    schema: &'a RwLock<RemoteCatalog>,
    documents: HashMap<String, String>,
}

fn place(text: &str, at: Position) -> usize {
    position::offset_of(text, at.line, at.character)
}

fn position_of(text: &str, offset: usize) -> Position {
    let (line, character) = position::line_and_unit(text, offset);
    Position { line, character }
}

fn range_of(text: &str, start: usize, end: usize) -> Range {
    Range { start: position_of(text, start), end: position_of(text, end) }
}

fn range_of_span(text: &str, span: Span) -> Range {
    range_of(text, span.start as usize, span.end as usize)
}

fn markdown(value: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value }
}

/// Reads the parameters of a request and answers it.
fn reply<P: DeserializeOwned, R: Serialize>(request: Request, work: impl FnOnce(P) -> Option<R>) -> Response {
    match serde_json::from_value::<P>(request.params) {
        Ok(parameters) => Response::new_ok(request.id, work(parameters)),
        Err(error) => Response::new_err(request.id, ErrorCode::InvalidParams as i32, error.to_string()),
    }
}

impl Session<'_> {
    fn catalog(&self) -> RemoteCatalog {
        self.schema.read().map(|schema| schema.clone()).unwrap_or_default()
    }

    fn text(&self, uri: &Uri) -> Option<&str> {
        self.documents.get(uri.as_str()).map(String::as_str)
    }

    fn answer(&self, request: Request) -> Response {
        match request.method.as_str() {
            "textDocument/completion" => reply(request, |asked| self.completion(asked)),
            "textDocument/hover" => reply(request, |asked| self.hover(asked)),
            "textDocument/signatureHelp" => reply(request, |asked| self.signature(asked)),
            "textDocument/formatting" => reply(request, |asked| self.formatting(asked)),
            "textDocument/semanticTokens/full" => reply(request, |asked| self.tokens(asked)),
            "textDocument/definition" => reply(request, |asked| self.definition(asked)),
            "textDocument/references" => reply(request, |asked| self.references(asked)),
            "textDocument/rename" => reply(request, |asked| self.rename(asked)),
            "textDocument/documentSymbol" => reply(request, |asked| self.symbols(asked)),
            "textDocument/codeAction" => reply(request, |asked| self.actions(asked)),
            method => {
                let message = format!("'{method}' is not supported");
                Response::new_err(request.id, ErrorCode::MethodNotFound as i32, message)
            }
        }
    }

    /// Notifications that cannot be read are left alone: there is nobody to tell.
    fn heed(&mut self, notification: Notification) {
        let Notification { method, params, .. } = notification;
        match method.as_str() {
            "textDocument/didOpen" => {
                if let Ok(opened) = serde_json::from_value::<DidOpenTextDocumentParams>(params) {
                    let document = opened.text_document;
                    self.documents.insert(document.uri.as_str().to_owned(), document.text);
                    self.publish(&document.uri);
                }
            }
            "textDocument/didChange" => {
                if let Ok(changed) = serde_json::from_value::<DidChangeTextDocumentParams>(params) {
                    self.change(&changed);
                    self.publish(&changed.text_document.uri);
                }
            }
            "textDocument/didClose" => {
                if let Ok(closed) = serde_json::from_value::<DidCloseTextDocumentParams>(params) {
                    self.documents.remove(closed.text_document.uri.as_str());
                }
            }
            _ => {}
        }
    }

    fn change(&mut self, changed: &DidChangeTextDocumentParams) {
        let Some(text) = self.documents.get_mut(changed.text_document.uri.as_str()) else { return };
        for change in &changed.content_changes {
            match change.range {
                Some(range) => {
                    let start = place(text, range.start);
                    let end = place(text, range.end).max(start);
                    text.replace_range(start..end, &change.text);
                }
                None => text.clone_from(&change.text),
            }
        }
    }

    fn diagnostics(&self, text: &str) -> Vec<conshelf_kql::diagnostic::Diagnostic> {
        if text.trim().is_empty() || text.trim_start().starts_with('.') {
            return Vec::new();
        }
        conshelf_kql::bind::check(text, &self.catalog()).0
    }

    fn publish(&self, uri: &Uri) {
        let Some(text) = self.text(uri) else { return };
        let diagnostics = self.diagnostics(text).iter().map(|found| diagnostic(text, found)).collect();
        let published = PublishDiagnosticsParams { uri: uri.clone(), diagnostics, version: None };
        let method = "textDocument/publishDiagnostics".to_owned();
        // An editor that is gone does not mind.
        let _ = self.connection.sender.send(Notification::new(method, published).into());
    }

    fn completion(&self, asked: CompletionParams) -> Option<Vec<CompletionItem>> {
        let at = asked.text_document_position;
        let text = self.text(&at.text_document.uri)?;
        let found = editor::complete(text, place(text, at.position), &self.catalog());
        let range = range_of(text, found.start, found.end);
        let items = found.items.into_iter().map(|item| {
            let insert = match item.caret {
                Some(caret) => {
                    format!("{}$0{}", snippet(&item.insert[..caret]), snippet(&item.insert[caret..]))
                }
                None => item.insert.clone(),
            };
            CompletionItem {
                sort_text: Some(format!("{:02}{}", item.rank, item.label)),
                // What is typed is matched against what stands in the text.
                filter_text: Some(item.insert.clone()),
                kind: Some(kind_of(item.kind)),
                detail: Some(item.detail).filter(|detail| !detail.is_empty()),
                documentation: (!item.documentation.is_empty())
                    .then(|| Documentation::MarkupContent(markdown(item.documentation))),
                insert_text_format: item.caret.map(|_| InsertTextFormat::SNIPPET),
                text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text: insert })),
                label: item.label,
                ..CompletionItem::default()
            }
        });
        Some(items.collect())
    }

    fn hover(&self, asked: HoverParams) -> Option<Hover> {
        let at = asked.text_document_position_params;
        let text = self.text(&at.text_document.uri)?;
        let found = editor::hover(text, place(text, at.position), &self.catalog())?;
        let range = Some(range_of_span(text, found.span));
        Some(Hover { contents: HoverContents::Markup(markdown(found.markdown)), range })
    }

    fn signature(&self, asked: SignatureHelpParams) -> Option<SignatureHelp> {
        let at = asked.text_document_position_params;
        let text = self.text(&at.text_document.uri)?;
        let found = editor::signature_help(text, place(text, at.position), &self.catalog())?;
        let signatures = found.signatures.iter().map(|signature| {
            let unit = |offset| position::unit_of_offset(&signature.label, offset) as u32;
            let parameters = signature.parameters.iter().map(|(start, end)| ParameterInformation {
                label: ParameterLabel::LabelOffsets([unit(*start), unit(*end)]),
                documentation: None,
            });
            SignatureInformation {
                parameters: Some(parameters.collect()),
                documentation: Some(Documentation::MarkupContent(markdown(signature.documentation.clone()))),
                label: signature.label.clone(),
                active_parameter: None,
            }
        });
        Some(SignatureHelp {
            signatures: signatures.collect(),
            active_signature: Some(found.active_signature as u32),
            active_parameter: Some(found.active_parameter as u32),
        })
    }

    fn formatting(&self, asked: DocumentFormattingParams) -> Option<Vec<TextEdit>> {
        let text = self.text(&asked.text_document.uri)?;
        let formatted = editor::format(text);
        if formatted == text {
            return Some(Vec::new());
        }
        Some(vec![TextEdit { range: range_of(text, 0, text.len()), new_text: formatted }])
    }

    fn tokens(&self, asked: SemanticTokensParams) -> Option<SemanticTokens> {
        let text = self.text(&asked.text_document.uri)?;
        let mut data = Vec::new();
        let (mut line, mut character) = (0, 0);
        let mut walk = Walk::default();
        for token in editor::classify(text, &self.catalog()) {
            // A token of several lines is one for each of them.
            let (mut start, end) = (token.span.start as usize, token.span.end as usize);
            for piece in text.get(start..end).unwrap_or("").split_inclusive('\n') {
                let shown = piece.trim_end_matches(['\r', '\n']);
                let (token_line, token_character) = walk.to(text, start);
                start += piece.len();
                if shown.is_empty() {
                    continue;
                }
                let delta_line = token_line - line;
                data.push(SemanticToken {
                    delta_line,
                    delta_start: if delta_line == 0 { token_character - character } else { token_character },
                    length: shown.chars().map(char::len_utf16).sum::<usize>() as u32,
                    token_type: token.kind as u32,
                    token_modifiers_bitset: 0,
                });
                (line, character) = (token_line, token_character);
            }
        }
        Some(SemanticTokens { result_id: None, data })
    }

    fn definition(&self, asked: GotoDefinitionParams) -> Option<Location> {
        let at = asked.text_document_position_params;
        let text = self.text(&at.text_document.uri)?;
        let found = editor::definition(text, place(text, at.position), &self.catalog())?;
        Some(Location { range: range_of_span(text, found.span), uri: at.text_document.uri })
    }

    fn places(&self, at: &TextDocumentPositionParams) -> Option<Vec<Range>> {
        let text = self.text(&at.text_document.uri)?;
        let found = editor::references(text, place(text, at.position), &self.catalog());
        Some(found.into_iter().map(|span| range_of_span(text, span)).collect())
    }

    fn references(&self, asked: ReferenceParams) -> Option<Vec<Location>> {
        let at = asked.text_document_position;
        let skipped = usize::from(!asked.context.include_declaration);
        let places = self.places(&at)?.into_iter().skip(skipped);
        Some(places.map(|range| Location { uri: at.text_document.uri.clone(), range }).collect())
    }

    #[allow(clippy::mutable_key_type, reason = "the protocol's own type")]
    fn rename(&self, asked: RenameParams) -> Option<WorkspaceEdit> {
        let at = asked.text_document_position;
        let new_text = editor::quoted_name(&asked.new_name);
        let edits: Vec<TextEdit> = self
            .places(&at)?
            .into_iter()
            .map(|range| TextEdit { range, new_text: new_text.clone() })
            .collect();
        if edits.is_empty() {
            return None;
        }
        let changes = HashMap::from([(at.text_document.uri, edits)]);
        Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() })
    }

    fn symbols(&self, asked: DocumentSymbolParams) -> Option<Vec<DocumentSymbol>> {
        let text = self.text(&asked.text_document.uri)?;
        let declared = editor::declarations(&conshelf_kql::parse(text).query);
        let symbols = declared.into_iter().map(|found| {
            use editor::symbol::DeclarationKind as K;
            #[allow(deprecated, reason = "the field must be given all the same")]
            DocumentSymbol {
                name: found.name,
                detail: found.parameters.or_else(|| Some(found.kind.as_str().to_owned())),
                kind: match found.kind {
                    K::Function | K::Pattern => SymbolKind::FUNCTION,
                    K::Database => SymbolKind::NAMESPACE,
                    K::Value | K::Parameter | K::QueryParameter => SymbolKind::VARIABLE,
                },
                tags: None,
                deprecated: None,
                range: range_of_span(text, found.full.to(found.span)),
                selection_range: range_of_span(text, found.span),
                children: None,
            }
        });
        Some(symbols.collect())
    }

    #[allow(clippy::mutable_key_type, reason = "the protocol's own type")]
    fn actions(&self, asked: CodeActionParams) -> Option<Vec<CodeActionOrCommand>> {
        let uri = asked.text_document.uri;
        let text = self.text(&uri)?;
        let (start, end) = (place(text, asked.range.start), place(text, asked.range.end));
        let mut actions = Vec::new();
        for found in self.diagnostics(text) {
            if found.span.end as usize + 1 < start || (found.span.start as usize) > end + 1 {
                continue;
            }
            for fix in editor::corrections(text, &found) {
                let edit = TextEdit { range: range_of_span(text, fix.span), new_text: fix.replacement };
                let changes = HashMap::from([(uri.clone(), vec![edit])]);
                actions.push(CodeActionOrCommand::CodeAction(CodeAction {
                    title: fix.title,
                    kind: Some(CodeActionKind::QUICKFIX),
                    diagnostics: Some(vec![diagnostic(text, &found)]),
                    edit: Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }),
                    ..CodeAction::default()
                }));
            }
        }
        Some(actions)
    }
}

/// Lines and units of ascending offsets, counted on from the last one.
#[derive(Default)]
struct Walk {
    offset: usize,
    line: u32,
    unit: u32,
}

impl Walk {
    fn to(&mut self, text: &str, offset: usize) -> (u32, u32) {
        for character in text.get(self.offset..offset).unwrap_or("").chars() {
            if character == '\n' {
                self.line += 1;
                self.unit = 0;
            } else {
                self.unit += character.len_utf16() as u32;
            }
        }
        self.offset = offset.max(self.offset);
        (self.line, self.unit)
    }
}

fn diagnostic(text: &str, found: &conshelf_kql::diagnostic::Diagnostic) -> Diagnostic {
    use conshelf_kql::diagnostic::Severity as S;
    let mut message = found.message.clone();
    for hint in &found.hints {
        message.push('\n');
        message.push_str(hint);
    }
    Diagnostic {
        range: range_of_span(text, found.span),
        severity: Some(match found.severity {
            S::Error => DiagnosticSeverity::ERROR,
            S::Warning => DiagnosticSeverity::WARNING,
            S::Information => DiagnosticSeverity::INFORMATION,
            S::Suggestion => DiagnosticSeverity::HINT,
        }),
        code: Some(NumberOrString::String(conshelf_kql::diagnostic::editor_code(&found.code).into_owned())),
        source: Some("conshelf".to_owned()),
        message,
        data: None::<Value>,
        ..Diagnostic::default()
    }
}

fn snippet(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}")
}

fn kind_of(kind: CompletionKind) -> CompletionItemKind {
    match kind {
        CompletionKind::Operator | CompletionKind::Keyword => CompletionItemKind::KEYWORD,
        CompletionKind::Column => CompletionItemKind::FIELD,
        CompletionKind::Table => CompletionItemKind::CLASS,
        CompletionKind::Variable => CompletionItemKind::VARIABLE,
        CompletionKind::LocalFunction
        | CompletionKind::StoredFunction
        | CompletionKind::Function
        | CompletionKind::Aggregate => CompletionItemKind::FUNCTION,
        CompletionKind::Plugin => CompletionItemKind::METHOD,
        CompletionKind::Type => CompletionItemKind::TYPE_PARAMETER,
        CompletionKind::Value | CompletionKind::Chart => CompletionItemKind::ENUM_MEMBER,
        CompletionKind::Parameter | CompletionKind::Setting => CompletionItemKind::PROPERTY,
        CompletionKind::Database => CompletionItemKind::MODULE,
    }
}
