//! What changes: states, operations on them, and tables that are imported.

use bourse::import::csv::{AgentColumns, CsvImport, CsvRecords, KeyColumn};

use crate::{
    Case,
    input::{lines, list, policy},
    work::{
        Input,
        Task::{Apply, Import, Load, Offers},
        cases as of, growing,
    },
};

pub fn cases() -> Vec<Case> {
    let parts = [
        of("reservations", 150, reservations, &[Load, Offers, Apply]),
        of("reserve", 150, reserve, &[Apply]),
        of("reserve-too-much", 150, reserve_too_much, &[Apply]),
        of("launch", 150, launch, &[Apply]),
        of("launch-twice", 150, launch_twice, &[Apply]),
        of("create", 150, create, &[Apply]),
        of("destroy", 150, destroy, &[Apply]),
        growing(
            of("unreserve", 50, unreserve, &[Apply]),
            Apply,
            "what rested on a reservation must fit without it, and the whole fleet is bound again to see that; to give it back to what \
             is bound needs the index of the core",
        ),
        of("conflict-after-reserves", 50, conflict_after_reserves, &[Apply]),
        of("release", 150, release, &[Apply]),
        of("release-unknown", 250, release_unknown, &[Apply]),
        of("rows-of-a-table", 200, rows_of_a_table, &[Import]),
        of("columns-of-a-table", 150, columns_of_a_table, &[Import]),
        of("objects-of-a-table", 150, objects_of_a_table, &[Import]),
        of("amounts-of-a-table", 150, amounts_of_a_table, &[Import]),
        of("cells-with-mistakes", 150, cells_with_mistakes, &[Import]),
        of("repeated-columns", 150, repeated_columns, &[Import]),
        of("misspelt-columns", 250, misspelt_columns, &[Import]),
        of("mistakes-of-a-row", 150, mistakes_of_a_row, &[Import]),
        of("members-of-a-cell", 150, members_of_a_cell, &[Import]),
    ];
    parts.into_iter().flatten().collect()
}

fn fleet() -> Input {
    policy(
        "provider p { instance i { pool q { resources { size = 1TB } } } }
         framework f { role = \"db\", need n { count = 100000, agent { cpus = 1 }, volume v { size = 1GB } } }",
    )
    .with("\"agents\": [{\"name\": \"a\", \"resources\": {\"cpus\": 100000}}]")
}

const OFFER: &str = "{\"id\": \"f.n#1\", \"framework\": \"f\", \"need\": \"n\", \"role\": \"db\", \"agent\": {\"name\": \"a\"},
  \"amounts\": {\"unreserved\": {\"cpus\": \"1\"}}, \"volumes\": [{\"name\": \"v\", \"supply\": \"p/i/q\", \"kind\": \"carved\",
  \"taken\": {\"size\": \"1GB\"}}]}";

fn reservation(r: usize, amount: usize) -> String {
    format!("\"name\": \"r{r}\", \"role\": \"db\", \"agent\": \"a\", \"resources\": {{\"cpus\": {amount}}}")
}

fn volume(v: usize) -> String {
    format!("{{\"path\": \"p/i/q/v{v}\", \"resources\": {{\"size\": \"1GB\"}}, \"reserved_for\": \"db\"}}")
}

fn allocation(a: usize) -> String {
    format!(
        "{{\"name\": \"x{a}\", \"framework\": \"f\", \"need\": \"n\", \"agents\": {{\"a\": {{\"cpus\": 1}}}}}}"
    )
}

fn reservations(n: usize) -> Input {
    fleet()
        .in_state(format!("\"reservations\": [{}]", list(n, |r| format!("{{{}}}", reservation(r, 1)))))
        .asked(format!("{{\"op\": \"reserve\", {}}}", reservation(n, 1)))
}

fn reserve(n: usize) -> Input {
    fleet().asked(list(n, |r| format!("{{\"op\": \"reserve\", {}}}", reservation(r, 1))))
}

fn reserve_too_much(n: usize) -> Input {
    fleet().asked(list(n, |r| format!("{{\"op\": \"reserve\", {}}}", reservation(r, 200_000))))
}

fn launch(n: usize) -> Input {
    fleet().asked(list(n, |x| format!("{{\"op\": \"launch\", \"as\": \"x{x}\", \"offer\": {OFFER}}}")))
}

fn launch_twice(n: usize) -> Input {
    let twice = |x| format!("{{\"op\": \"launch\", \"as\": \"x{}\", \"offer\": {OFFER}}}", x / 2);
    fleet().asked(list(n, twice))
}

fn create(n: usize) -> Input {
    fleet().asked(list(n, |x| format!("{{\"op\": \"create\", \"as\": \"x{x}\", \"offer\": {OFFER}}}")))
}

fn destroy(n: usize) -> Input {
    fleet()
        .in_state(format!("\"volumes\": [{}]", list(n, volume)))
        .asked(list(n, |v| format!("{{\"op\": \"destroy\", \"volume\": \"p/i/q/v{v}\"}}")))
}

fn unreserve(n: usize) -> Input {
    fleet()
        .in_state(format!("\"reservations\": [{}]", list(n, |r| format!("{{{}}}", reservation(r, 1)))))
        .asked(list(n, |r| format!("{{\"op\": \"release\", \"reservation\": \"r{r}\"}}")))
}

/// Each may be done, but for the last.
fn conflict_after_reserves(n: usize) -> Input {
    let amount = |r| if r + 1 == n { 200_000 } else { 1 };
    fleet().asked(list(n, |r| format!("{{\"op\": \"reserve\", {}}}", reservation(r, amount(r)))))
}

fn release(n: usize) -> Input {
    fleet()
        .in_state(format!("\"allocations\": [{}]", list(n, allocation)))
        .asked(list(n, |x| format!("{{\"op\": \"release\", \"allocation\": \"x{x}\"}}")))
}

fn release_unknown(n: usize) -> Input {
    fleet()
        .in_state(format!("\"allocations\": [{}]", list(n, allocation)))
        .asked(list(n, |x| format!("{{\"op\": \"release\", \"allocation\": \"x{x}y\"}}")))
}

fn table(text: String, columns: AgentColumns) -> Input {
    let options = CsvImport::new(CsvRecords::Agents(columns));
    Input { table: Some((text, options)), ..Input::default() }
}

fn named(resource: &str) -> AgentColumns {
    let resources = vec![resource.parse().expect("a column")];
    AgentColumns { name: "name".to_owned(), resources, ..AgentColumns::default() }
}

fn rows_of_a_table(n: usize) -> Input {
    table("name,cpus\n".to_owned() + &lines(n, |r| format!("a{r},{r}")), named("cpus=cpus"))
}

fn columns_of_a_table(n: usize) -> Input {
    let head = list(n, |c| format!("c{c}")).replace(' ', "");
    let cells = list(n, |c| c.to_string()).replace(' ', "");
    let mut columns = named("cpus=c0");
    columns.keys = (0..n).map(|c| format!("k{c}=c{c}").parse().expect("a column")).collect();
    table(format!("name,{head}\na,{cells}\nb,{cells}\n"), columns)
}

/// Each key is an object of its own, with two columns.
fn objects_of_a_table(n: usize) -> Input {
    let head = list(2 * n, |c| format!("c{c}")).replace(' ', "");
    let cells = list(2 * n, |c| c.to_string()).replace(' ', "");
    let mut columns = named("cpus=c0");
    columns.keys = (0..2 * n).map(|c| format!("k{}.of{c}=c{c}", c % n).parse().expect("a column")).collect();
    table(format!("name,{head}\na,{cells}\nb,{cells}\n"), columns)
}

fn amounts_of_a_table(n: usize) -> Input {
    let head = list(n, |c| format!("c{c}")).replace(' ', "");
    let cells = list(n, |c| c.to_string()).replace(' ', "");
    let mut columns = named("cpus=c0");
    columns.resources = (0..n).map(|c| format!("r{c}=c{c}").parse().expect("a column")).collect();
    table(format!("name,{head}\na,{cells}\nb,{cells}\n"), columns)
}

/// Each name stands over two columns.
fn repeated_columns(n: usize) -> Input {
    let head = list(2 * n, |c| format!("c{}", c / 2)).replace(' ', "");
    let cells = list(2 * n, |c| c.to_string()).replace(' ', "");
    table(format!("name,cpus,{head}\na,1,{cells}\n"), named("cpus=cpus"))
}

/// As many keys are asked for as there are columns, and none is there.
fn misspelt_columns(n: usize) -> Input {
    let head = list(n, |c| format!("c{c}")).replace(' ', "");
    let cells = list(n, |c| c.to_string()).replace(' ', "");
    let mut columns = named("cpus=cpus");
    columns.keys = (0..n).map(|c| format!("k{c}=c{c}x").parse().expect("a column")).collect();
    table(format!("name,cpus,{head}\na,1,{cells}\n"), columns)
}

/// A row with a mistake in each cell.
fn mistakes_of_a_row(n: usize) -> Input {
    let head = list(n, |c| format!("c{c}")).replace(' ', "");
    let cells = list(n, |c| format!("x{c}")).replace(' ', "");
    let mut columns = named("cpus=cpus");
    columns.resources.extend((0..n).map(|c| format!("r{c}=c{c}").parse().expect("a column")));
    table(format!("name,cpus,{head}\na,1,{cells}\n"), columns)
}

fn cells_with_mistakes(n: usize) -> Input {
    table("name,cpus\n".to_owned() + &lines(n, |r| format!("a{r},x{r}")), named("cpus=cpus"))
}

fn members_of_a_cell(n: usize) -> Input {
    let mut columns = named("cpus=cpus");
    columns.keys = vec![KeyColumn::set("tags=tags:|").expect("a set")];
    let cell = list(n, |m| format!("t{m}")).replace(", ", "|");
    table(format!("name,cpus,tags\na,1,{cell}\n"), columns)
}
