//! What a first query would do for all after it: starts the workers, builds the tables of the language.

use conshelf_storage::Store;

use crate::engine::context::{QueryContext, QueryLimits};
use crate::engine::execute::pool;
use crate::engine::{Engine, QueryRequest};

/// Touches the common operators, and no data.
const TEXT: &str = "range n from 1 to 100 step 1
    | extend s = strcat('host ', n % 3), t = datetime(2024-01-01) + n * 1m, d = dynamic({\"a\": 1})
    | where s has 'host' and n between (1 .. 99) and t > datetime(2024-01-01) and d.a == 1
    | summarize count(), max(n), avg(n), dcount(s), percentile(n, 90), countif(n > 3) by s, bin(t, 1h)
    | project-rename c = count_ | where c > 0 | order by s asc | top 3 by c desc";

/// Runs such a query on a thread of its own.
pub fn warm_up(store: &Store) {
    let engine = Engine::new(store.clone());
    let job = move || {
        pool::start();
        let context = QueryContext::new(QueryLimits::default(), 0);
        let request =
            QueryRequest { text: TEXT.to_owned(), database: String::new(), parameters: Vec::new(), context };
        if let Err(error) = engine.query_collect(&request) {
            tracing::warn!(%error, "the query that warms the engine up failed");
        }
    };
    if let Err(error) = pool::spawn_deep(job) {
        tracing::warn!(%error, "the engine was not warmed up");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_runs() {
        let directory = tempfile::tempdir().expect("directory");
        let store = Store::open(directory.path(), conshelf_storage::StoreOptions::default()).expect("store");
        let request = QueryRequest {
            text: TEXT.to_owned(),
            database: String::new(),
            parameters: Vec::new(),
            context: QueryContext::new(QueryLimits::default(), 0),
        };
        let tables = Engine::new(store.clone()).query_collect(&request).expect("runs");
        assert_eq!(tables[0].batches.iter().map(|batch| batch.rows).sum::<usize>(), 3);
        warm_up(&store);
    }
}
