//! `render`: the chart and its properties.

use crate::ast::{ExprKind, Name, NameStyle, OperatorKind, OperatorParameter, Render};
use crate::diagnostic::closest;
use crate::span::Span;
use crate::token::TokenKind;

use super::super::parameter::Parameters;
use super::super::{Parser, Slot};

/// The charts there are.
pub(in super::super) const CHARTS: &[&str] = &[
    "table",
    "list",
    "barchart",
    "piechart",
    "ladderchart",
    "timechart",
    "linechart",
    "anomalychart",
    "pivotchart",
    "areachart",
    "stackedareachart",
    "scatterchart",
    "timepivot",
    "columnchart",
    "timeline",
    "3Dchart",
    "card",
    "treemap",
    "plotly",
    "graph",
    "sankey",
];

impl Parser<'_> {
    /// `render chart [with (properties)]`, or properties without `with` as long ago
    pub(super) fn render(&mut self) -> OperatorKind {
        self.bump();
        self.seek(Slot::Chart);
        let chart = if CHARTS.contains(&self.text_at(0)) || self.kind() == TokenKind::Identifier {
            self.word_name()
        } else {
            for chart in ["timechart", "barchart", "piechart", "linechart", "table"] {
                self.note_expected(chart);
            }
            self.report_expected(&["the name of a chart"]);
            Name { text: String::new(), style: NameStyle::Missing, span: Span::at(self.start()) }
        };
        let mut properties = Vec::new();
        while let Some(property) = self.old_render_property() {
            properties.push(property);
        }
        if self.eat_word("with") {
            self.expect(TokenKind::OpenParen, "(");
            self.eat(TokenKind::Comma);
            properties.extend(self.parameter_list(&Parameters::RENDER));
            self.expect(TokenKind::CloseParen, ")");
        }
        self.check_render(&chart, &properties);
        OperatorKind::Render(Render { chart, properties })
    }

    /// Charts and some properties have fixed values, written as plain words.
    fn check_render(&mut self, chart: &Name, properties: &[OperatorParameter]) {
        if chart.style != NameStyle::Missing && !CHARTS.contains(&chart.text.as_str()) {
            self.report_word(CHARTS, &chart.text, chart.span);
        }
        for property in properties {
            let values: &[&'static str] = match property.name.text.as_str() {
                "kind" => &["default", "unstacked", "stacked", "stacked100", "map"],
                "legend" => &["visible", "hidden"],
                "ysplit" => &["none", "axes", "panels"],
                "xaxis" | "yaxis" => &["linear", "log"],
                _ => continue,
            };
            match &property.value.kind {
                ExprKind::Missing => {}
                ExprKind::Name(name) if values.contains(&name.text.as_str()) => {}
                _ => {
                    let found = property.value.span.text(self.text).to_owned();
                    self.report_word(values, &found, property.value.span);
                }
            }
        }
    }

    fn report_word(&mut self, values: &[&'static str], found: &str, span: Span) {
        let message = format!("Expected one of {} but found '{found}'.", values.join(", "));
        let hints = match closest(found, values.iter().copied()) {
            Some(value) => vec![format!("did you mean '{value}'?")],
            None => Vec::new(),
        };
        self.error_with_hints("KS005", message, span, hints);
    }

    /// `kind=…`, `title=…`, `accumulate=…`, `with name`, `by a, b`
    fn old_render_property(&mut self) -> Option<OperatorParameter> {
        if let Some(found) = self.parameter(&Parameters::RENDER_OLD) {
            return Some(found);
        }
        let start = self.start();
        if self.is_word(0, "with") && self.kind_at(1) != TokenKind::OpenParen {
            let name = self.word_name();
            let value = match self.parameter_value(&[]) {
                Some(value) => value,
                None => {
                    self.report_missing("string");
                    self.missing()
                }
            };
            return Some(OperatorParameter { name, value, span: self.span_from(start) });
        }
        if self.is_word(0, "by") {
            let name = self.word_name();
            let begin = self.start();
            let names = self.list(
                super::super::ListRule::OPEN,
                |parser| {
                    ["kind", "title", "accumulate", "with", "by"].iter().any(|word| parser.is_word(0, word))
                },
                Self::declared_name,
                Self::missing_name,
            );
            let kind = ExprKind::NameList(names);
            let value = crate::ast::Expr { kind, span: self.span_from(begin) };
            return Some(OperatorParameter { name, value, span: self.span_from(start) });
        }
        None
    }
}
