//! Views as finishing steps, those first that others select from.

use crate::map::expr::{self, Relation};
use crate::map::names::{NameSpace, changed};
use crate::model::ident::{literal, qualified};
use crate::model::name_style::NameStyle;
use crate::model::plan::{FinishStep, NotCarried, Phase};
use crate::model::source::{SourceSchema, View};

/// What becomes of the views.
#[derive(Debug, Default)]
pub(super) struct Views {
    pub(super) steps: Vec<FinishStep>,
    pub(super) not_carried: Vec<NotCarried>,
    pub(super) notes: Vec<String>,
}

/// Takes the names of the views, which their queries and the application use.
pub(super) fn names(
    schema: &SourceSchema,
    relations: &mut NameSpace,
    style: NameStyle,
) -> Vec<String> {
    let sources: Vec<&str> = schema.views.iter().map(|view| view.name.as_str()).collect();
    relations.take_all(&sources, style)
}

/// Plans the views. `tables` are those of the transfer, `targets` the names that the views get.
pub(super) fn plan(
    schema: &SourceSchema,
    tables: Vec<Relation>,
    targets: &[String],
    (into, style): (&str, NameStyle),
) -> Views {
    let mut views = Views::default();
    let mut relations = tables;
    if relations.is_empty() {
        let reason = "no table is part of this transfer";
        views.not_carried.extend(schema.views.iter().map(|view| left_out(view, reason)));
        return views;
    }
    let mut left: Vec<(&View, &String)> = schema.views.iter().zip(targets).collect();
    // A view may select from one that was made later: again as long as another one comes out.
    loop {
        let before = left.len();
        let mut refused = Vec::new();
        for (view, target) in left {
            let translated = view.query.as_ref().map_err(Clone::clone).and_then(|query| {
                let names = (view.name.as_str(), target.as_str());
                expr::view(query, names, &view.columns, (into, style), &relations, &schema.encoding)
            });
            match translated {
                Ok(made) => {
                    relations.push(made.relation);
                    let notes = made.notes.into_iter();
                    views.notes.extend(
                        notes.map(|note| format!("View {}: {note}", view.name.escape_debug())),
                    );
                    let what = format!("The view \"{}\"", view.name.escape_debug());
                    views.notes.extend(changed(&what, &view.name, target, style));
                    views.steps.push(step(view, target, made.sql, into));
                }
                Err(reason) => refused.push((view, target, reason)),
            }
        }
        if refused.is_empty() || refused.len() == before {
            views.not_carried.extend(refused.into_iter().map(|(view, _, reason)| {
                left_out(view, &format!("it is not translated: {reason}"))
            }));
            return views;
        }
        left = refused.into_iter().map(|(view, target, _)| (view, target)).collect();
    }
}

fn step(view: &View, target: &str, sql: String, into: &str) -> FinishStep {
    FinishStep {
        phase: Phase::Views,
        table: 0,
        object: "view".into(),
        name: target.to_owned(),
        sql,
        source_text: view.sql.clone(),
        // Only what a run made is ever dropped.
        orphans_sql: Some(format!(
            "SELECT {}::regclass::oid::bigint",
            literal(&qualified(into, target))
        )),
    }
}

fn left_out(view: &View, reason: &str) -> NotCarried {
    NotCarried {
        object: "view".into(),
        table: None,
        name: view.name.clone(),
        reason: reason.to_owned(),
        source_text: view.sql.clone(),
    }
}
