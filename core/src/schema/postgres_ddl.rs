//! The tables in PostgreSQL. Unique and foreign keys are deferrable, so that one transaction may write its rows in any order.
//! Words outside a vocabulary are allowed: imported ones are kept.

use super::{Column, Default, Schema, SqlType, Table};

/// The statements that make the tables, their keys and their indexes in the first schema of the search path (`public`),
/// referenced tables first. Running them again changes nothing.
pub fn postgres(schema: &Schema) -> Vec<String> {
    schema
        .insert_order
        .iter()
        .map(|id| schema.by_id(*id))
        .flat_map(|table| std::iter::once(create_table(schema, table)).chain(table.foreign_key_indexes()))
        .collect()
}

fn create_table(schema: &Schema, table: &Table) -> String {
    let name = table.name;
    let mut lines: Vec<String> = table.columns.iter().map(column_line).collect();
    lines.push(format!(
        "CONSTRAINT {name}_pkey PRIMARY KEY ({})",
        table.key_names().join(", ")
    ));
    for column in table.columns.iter().filter(|c| c.unique) {
        let column = column.name;
        lines.push(format!(
            "CONSTRAINT {name}_{column}_key UNIQUE ({column}) DEFERRABLE INITIALLY IMMEDIATE"
        ));
    }
    for (column, target) in table.columns.iter().filter_map(|c| Some((c.name, c.references?))) {
        let target = schema.by_id(target).name;
        lines.push(format!(
            "CONSTRAINT {name}_{column}_fkey FOREIGN KEY ({column}) REFERENCES {target} (id) DEFERRABLE INITIALLY IMMEDIATE"
        ));
    }
    format!("CREATE TABLE IF NOT EXISTS {name} (\n    {}\n)", lines.join(",\n    "))
}

fn column_line(column: &Column) -> String {
    let mut line = format!("{} {}", column.name, column.sql_type);
    if column.not_null {
        line.push_str(" NOT NULL");
    }
    if let Some(default) = column.default {
        line.push_str(" DEFAULT ");
        line.push_str(&default_expression(column, default));
    }
    line
}

fn default_expression(column: &Column, default: Default) -> String {
    match default {
        Default::Now => "now()".into(),
        Default::Uuid => "gen_random_uuid()".into(),
        Default::Literal(literal) => match column.sql_type {
            SqlType::Integer | SqlType::Numeric { .. } | SqlType::Boolean => literal.into(),
            _ => format!("'{}'", literal.replace('\'', "''")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements() -> Vec<String> {
        postgres(Schema::hospital())
    }

    fn count(pattern: &str) -> usize {
        statements().iter().map(|s| s.matches(pattern).count()).sum()
    }

    #[test]
    fn every_table_and_key_of_the_declaration_is_made() {
        let unique = Schema::hospital()
            .tables
            .iter()
            .flat_map(|t| &t.columns)
            .filter(|c| c.unique)
            .count();
        assert_eq!(count("CREATE TABLE IF NOT EXISTS "), 33);
        assert_eq!(count(" PRIMARY KEY ("), 33);
        assert_eq!(count(" FOREIGN KEY ("), 69);
        assert_eq!(count(" UNIQUE ("), unique);
        assert_eq!(count(" DEFERRABLE INITIALLY IMMEDIATE"), 69 + unique);
    }

    #[test]
    fn every_column_stands_in_its_table() {
        let statements = statements();
        for table in &Schema::hospital().tables {
            let start = format!("CREATE TABLE IF NOT EXISTS {} (", table.name);
            let statement = statements.iter().find(|s| s.starts_with(&start)).unwrap();
            for column in &table.columns {
                let line = format!("\n    {} {}", column.name, column.sql_type);
                assert!(statement.contains(&line), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn every_foreign_key_has_an_index_unless_a_key_begins_with_it() {
        // `staff_meeting_participants` has `meeting_id` first in its primary key.
        assert_eq!(count("CREATE INDEX IF NOT EXISTS "), 68);
    }

    #[test]
    fn defaults_are_written_as_postgres_reads_them() {
        let all = statements().join("\n");
        for line in [
            "id uuid NOT NULL DEFAULT gen_random_uuid(),",
            "created_at timestamptz DEFAULT now(),",
            "status varchar(20) DEFAULT 'available',",
            "capacity integer DEFAULT 1,",
            "is_active boolean DEFAULT true,",
        ] {
            assert!(all.contains(line), "{line}");
        }
    }

    #[test]
    fn no_name_is_longer_than_postgres_keeps() {
        for statement in statements() {
            for word in statement.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
                assert!(word.len() <= 63, "{word}");
            }
        }
    }
}
