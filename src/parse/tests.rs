use super::{
    ast::{
        ArithmeticOp, BlockKind, Body, ExpectedOutcome, ExprKind, Literal, OnMode, Place as Where,
        StatementKind,
    },
    *,
};
use crate::ranges::Ranges;

/// The policy of the tour in the language reference.
const TOUR: &str = include_str!("testdata/tour.policy");

fn parse_text(text: &str) -> (Sources, ParsedText) {
    let mut sources = Sources::default();
    let id = sources.add("test.policy", text);
    let parsed = parse(&sources, id);
    (sources, parsed)
}

/// Returns each problem as one line: code, text at its first label, message, help.
fn problems(text: &str) -> Vec<String> {
    let (sources, parsed) = parse_text(text);
    let line = |problem: &Diagnostic| {
        let at = problem.labels.first().map(|label| sources.text(label.span)).unwrap_or_default();
        let help = problem.help.as_deref().unwrap_or("-");
        format!("{} `{at}` {} | {help}", problem.code, problem.message)
    };
    parsed.diagnostics.iter().map(line).collect()
}

#[test]
fn a_class_may_be_a_plugin_s() {
    for (text, shown) in [
        ("is vendor/fast", "(is vendor/fast)"),
        ("agent is vendor/storage.flash", "(agent is vendor/storage.flash)"),
        ("not is \"my array\"/fast", "(not (is my array/fast))"),
        ("is fast // and/or", "(is fast)"),
        ("is fast//remark", "(is fast)"),
    ] {
        assert_eq!(bound(text), shown, "{text}");
    }
    assert!(expression("is vendor/", Span::default()).is_err());
}

/// Returns the only statement of a text without problems.
fn only(text: &str) -> StatementKind {
    let (_, parsed) = parse_text(text);
    assert_eq!(problems(text), [""; 0], "{text}");
    let [statement] = &parsed.ast.items[..] else { panic!("{text}: {:#?}", parsed.ast.items) };
    statement.kind.clone()
}

/// Returns an expression with every operand in parentheses.
fn bound(text: &str) -> String {
    match expression(text, Span::default()) {
        Ok(expr) => show(&expr),
        Err(problems) => panic!("{text}: {problems:#?}"),
    }
}

fn show(expr: &Expr) -> String {
    let path =
        |path: &ast::DottedName| path.segments.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join(".");
    let class_name = |class: &ast::ClassName| match &class.plugin {
        Some(plugin) => format!("{}/{}", plugin.text, path(&class.path)),
        None => path(&class.path),
    };
    let all = |parts: &[Expr], between: &str| parts.iter().map(show).collect::<Vec<_>>().join(between);
    match &expr.kind {
        ExprKind::Literal(Literal::Quantity(quantity)) => quantity.to_string(),
        ExprKind::Literal(Literal::Percent(quantity)) => format!("{quantity}%"),
        ExprKind::Literal(Literal::Text(text)) => crate::value::quote(text),
        ExprKind::Literal(Literal::Span(low, high)) => format!("{low}..{high}"),
        ExprKind::Literal(Literal::Ranges(ranges)) => ranges.to_string(),
        ExprKind::Literal(Literal::Version(version)) => format!("v{version}"),
        ExprKind::Literal(literal) => format!("{literal:?}"),
        ExprKind::Path(key) => path(key),
        ExprKind::Not(inner) => format!("(not {})", show(inner)),
        ExprKind::Negate(inner) => format!("(-{})", show(inner)),
        ExprKind::And(parts) => format!("({})", all(parts, " and ")),
        ExprKind::Or(parts) => format!("({})", all(parts, " or ")),
        ExprKind::Test(op, left, right) => format!("({} {} {})", show(left), op.text(), show(right)),
        ExprKind::Matches(left, pattern) => format!("({} matches {})", show(left), pattern.text),
        ExprKind::Is(None, class) => format!("(is {})", class_name(class)),
        ExprKind::Is(Some(subject), class) => format!("({} is {})", path(subject), class_name(class)),
        ExprKind::IsAbsent(key) => format!("({} is absent)", path(key)),
        ExprKind::IsPresent(key) => format!("({} is present)", path(key)),
        ExprKind::Arithmetic(op, left, right) => format!("({} {} {})", show(left), op.text(), show(right)),
        ExprKind::Else(key, value) => format!("({} else {})", path(key), show(value)),
        ExprKind::Call(name, arguments) => format!("{}({})", name.text, all(arguments, ", ")),
    }
}

#[test]
fn the_tour_is_read_without_a_problem() {
    let found = problems(TOUR);
    assert!(found.is_empty(), "{found:#?}");
    let (sources, parsed) = parse_text(TOUR);
    assert_eq!(parsed.ast.items.len(), 11);
    let broker = parsed.ast.items.iter().find_map(|item| match &item.kind {
        StatementKind::Block(block) if block.kind == BlockKind::Broker => Some(&block.body),
        _ => None,
    });
    let statements = &broker.expect("a broker").statements;
    assert_eq!(statements.len(), 8);
    let documented = "Agents in another region go only to frameworks that say they can cope.";
    assert_eq!(statements[3].docs, [documented]);
    assert_eq!(&sources.text(statements[5].span)[..24], "prefer same-lan:  agent.");
    // The same text with carriage returns.
    let (_, other) = parse_text(&TOUR.replace('\n', "\r\n"));
    assert_eq!((other.ast.items.len(), other.diagnostics.len()), (11, 0), "{:#?}", other.diagnostics);
}

#[test]
fn operators_bind_as_the_reference_says() {
    let cases = [
        ("a or b and not c == d + e * -f else 2", "(a or (b and (not (c == (d + (e * (-(f else 2))))))))"),
        ("a or b or c and d and e", "(a or b or (c and d and e))"),
        ("(a or b) and c", "((a or b) and c)"),
        ("not not a == b", "(not (not (a == b)))"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b * c", "((a / b) * c)"),
        ("a-b - c", "(a-b - c)"),
        ("a.b else c else 0 > 3", "((a.b else (c else 0)) > 3)"),
        ("a else -5", "(a else -5)"),
        ("-5 - --3", "(-5 - 3)"),
        ("-a", "(-a)"),
        ("-9223372036854775808B == a", "(-8EiB == a)"),
        ("agent is storage.flash and is slow", "((agent is storage.flash) and (is slow))"),
        ("a.x is absent or b is present", "((a.x is absent) or (b is present))"),
        (
            "x in [\"a\"] and y has any z",
            "((x in Texts([Name { text: \"a\", span: Span { source: SourceId(0), start: 0, end: 0 } }])) and (y has any z))",
        ),
        ("a has all b", "(a has all b)"),
        ("a has anything", "(a has anything)"),
        ("agent.domain within pool.domain", "(agent.domain within pool.domain)"),
        ("x matches \"a.*\"", "(x matches a.*)"),
        ("min(a, b + 1,)", "min(a, (b + 1))"),
        ("closeness (a.domain, b.domain) * 2", "(closeness(a.domain, b.domain) * 2)"),
        ("a ==\n 80%\n and\n b", "((a == 0.8%) and b)"),
        ("agent.\"nvidia.com/gpu\" > 1TB/s", "(agent.nvidia.com/gpu > 8Tbps)"),
        ("2..8", "2..8"),
        ("-2 .. 1_000k", "-2..1000000"),
        ("v\"5.10\"", "v5.10"),
        ("[1..5, 9, 6]", "[1..6, 9]"),
        ("[-5..-3, 9]", "[-5..-3, 9]"),
        ("agent.in == agent.not", "(agent.in == agent.not)"),
        ("index == order", "(index == order)"),
    ];
    for (text, expected) in cases {
        // `1TB/s` is no unit of the language. The case is about the rest.
        let (text, expected) = (text.replace("1TB/s", "1GB/s"), expected.replace("8Tbps", "1GB/s"));
        let found = bound(&text);
        let same = found == expected || found == expected.replace("1GB/s", "8Gbps");
        assert!(same, "{text}: {found}, not {expected}");
    }
}

#[test]
fn statements_go_on_and_end_as_the_reference_says() {
    let cases: [(&str, usize); 22] = [
        ("a == b\nc == d", 2),
        ("a == b, c == d", 2),
        ("a == b\n  and c == d", 1),
        ("a == b // why\n\n  // and this\n  or c", 1),
        ("a\n else b\n", 1),
        ("require x:\n  a", 1),
        ("require a ==\n\n  b", 1),
        ("prefer a\n weight 5", 1),
        ("prefer a\n weight = 5", 2),
        ("a == b\nand = 3", 2),
        ("x = [\n 1,\n 2\n]", 1),
        ("x = (1\n + 2)", 1),
        ("levels a >\n b", 1),
        ("agent a { } agent b { }", 2),
        ("agent a { x = 1 y == 2 }", 0),
        ("size = 1TB { step = 1GB } iops = 3", 2),
        ("count = 3, role = \"db\", volume = 5, require = 1, let = 2, in = 3", 6),
        ("\"nvidia.com/gpu\" = 4, x.\"a/b\".c = 2, adapter.infiniband = true", 3),
        ("source == \"x\", pool.free.size >= 1TB, near == 3, at < 4, use in [\"a\"], agent is slow", 6),
        (",,\n\n , a = 1 ,,", 1),
        ("use a { b, c\n d } use \"./x.policy\", use a.b", 3),
        ("\u{feff}a = 1", 1),
    ];
    for (text, count) in cases {
        let (_, parsed) = parse_text(text);
        if count == 0 {
            assert_eq!(parsed.diagnostics.len(), 1, "{text}: {:#?}", problems(text));
        } else {
            assert_eq!(problems(text), [""; 0], "{text}");
            assert_eq!(parsed.ast.items.len(), count, "{text}");
        }
    }
}

#[test]
fn every_form_becomes_what_it_says() {
    let block = |text: &str| match only(text) {
        StatementKind::Block(block) => {
            (block.kind, block.name.map(|name| name.text), block.body.statements.len())
        }
        other => panic!("{text}: {other:?}"),
    };
    let kinds = [
        ("agent", BlockKind::Agent),
        ("allocation", BlockKind::Allocation),
        ("broker", BlockKind::Broker),
        ("framework", BlockKind::Framework),
        ("instance", BlockKind::Instance),
        ("limit", BlockKind::Limit),
        ("need", BlockKind::Need),
        ("pool", BlockKind::Pool),
        ("provider", BlockKind::Provider),
        ("resources", BlockKind::Resources),
        ("revocable", BlockKind::Revocable),
        ("role", BlockKind::Role),
        ("test", BlockKind::Test),
        ("volume", BlockKind::Volume),
    ];
    for (word, kind) in kinds {
        assert_eq!(block(&format!("{word} {{ }}")), (kind.clone(), None, 0));
        assert_eq!(block(&format!("{word} \"x y\" {{ a = 1, b }}")), (kind, Some("x y".to_owned()), 2));
    }
    assert_eq!(block("resources { a = 1 }"), (BlockKind::Resources, None, 1));
    assert_eq!(block("resources revocable { }"), (BlockKind::ResourcesRevocable, None, 0));
    assert!(
        matches!(block("resources for \"ads\" { }").0, BlockKind::ResourcesFor(name) if name.text == "ads")
    );
    assert_eq!(block("agent { }"), (BlockKind::Agent, None, 0));
    assert_eq!(block("pool \"p/i/n\" { size = 1TB }").1.as_deref(), Some("p/i/n"));
    assert_eq!(block("class x for pool { }").0, BlockKind::Class(Ok(crate::types::Side::Pool)));
    assert!(matches!(block("class x for disk { }").0, BlockKind::Class(Err(name)) if name.text == "disk"));
    assert!(matches!(
        block("schema agent { a: set of text, \"b\": number }"),
        (BlockKind::Schema(Ok(_)), None, 2)
    ));
    assert!(matches!(block("role.x { }").0, BlockKind::Keys(path) if path.segments.len() == 2));
    assert_eq!(block("volume { }"), (BlockKind::Volume, None, 0));

    assert!(
        matches!(only("volume \"p/i/n/v\""), StatementKind::VolumeReference(name) if name.text == "p/i/n/v")
    );
    assert!(matches!(only("lend reserved"), StatementKind::LendReserved));
    assert!(matches!(only("reserved for \"db\""), StatementKind::ReservedFor(_)));
    assert!(matches!(only("all or nothing"), StatementKind::AllOrNothing));
    assert!(matches!(only("accept revocable"), StatementKind::AcceptRevocable));
    assert!(matches!(only("with inventory"), StatementKind::WithInventory));
    assert!(
        matches!(only("levels region > zone > rack"), StatementKind::Levels(levels) if levels.len() == 3)
    );
    assert!(matches!(only("expose agent.os"), StatementKind::Expose(path) if path.segments.len() == 2));
    assert!(matches!(only("kernel: version"), StatementKind::Field(_, words) if words.text == "version"));
    assert!(matches!(only("let a =\n b"), StatementKind::Let(name, _) if name.text == "a"));
    let StatementKind::Charge(charge) = only("charge agent.bandwidth volume.bandwidth - 1 per need") else {
        panic!()
    };
    assert_eq!(charge.per, ast::ChargePer::Need);
    assert!(matches!(charge.amount.kind, ExprKind::Arithmetic(ArithmeticOp::Subtract, ..)));
    let StatementKind::Prefer(rule) = only("prefer same-lan: a weight -2.5") else { panic!() };
    assert_eq!(rule.weight.map(|weight| weight.millionths), Some(-2_500_000));
    assert_eq!(rule.label.map(|label| label.text).as_deref(), Some("same-lan"));
    let StatementKind::Assign(assign) = only("size = 500TB { reserved = 10%, step = 1GB }") else { panic!() };
    assert_eq!(assign.options.map(|body| body.statements.len()), Some(2));
    let StatementKind::Assign(assign) = only("ports = [8080, 9000..9001]") else { panic!() };
    let ranges = Ranges::new([(8080, 8080), (9000, 9001)]);
    assert!(matches!(assign.value.kind, ExprKind::Literal(Literal::Ranges(found)) if found == ranges));
}

#[test]
fn places_and_expectations_become_what_they_say() {
    let place = |text: &str| match only(text) {
        StatementKind::Place(place) => place,
        other => panic!("{text}: {other:?}"),
    };
    assert!(matches!(place("within \"us\""), Where::Within(places) if places.len() == 1));
    assert!(matches!(place("avoid [\"us\", \"eu\",]"), Where::Outside(places) if places.len() == 2));
    assert!(
        matches!(place("near ring.data in zone"), Where::Near { target, .. } if target.segments.len() == 2)
    );
    assert!(matches!(place("avoid ring in agent.os"), Where::Apart { key, .. } if key.segments.len() == 2));
    assert!(matches!(
        place("at most 2 per agent among framework"),
        Where::AtMost { among_framework: true, .. }
    ));
    assert!(matches!(place("spread over zone"), Where::Spread { skew: None, at_least: None, .. }));
    assert!(matches!(
        place("spread over zone skew 2 at least 3"),
        Where::Spread { skew: Some(_), at_least: Some(_), .. }
    ));
    assert!(matches!(place("together in zone"), Where::Together { .. }));
    let soft = only("prefer near data in zone weight 5");
    assert!(matches!(soft, StatementKind::PreferPlace { place: Where::Near { .. }, weight: Some(_) }));

    let expect = |text: &str| match only(text) {
        StatementKind::Expect(expect) => expect,
        other => panic!("{text}: {other:?}"),
    };
    use ast::Expect;
    assert!(
        matches!(expect("expect f.ring met"), Expect::Outcome(need, ExpectedOutcome::Met) if need.segments.len() == 2)
    );
    assert!(matches!(expect("expect ring offered 3"), Expect::Outcome(_, ExpectedOutcome::Offered(3))));
    assert!(matches!(expect("expect ring on a"), Expect::On { mode: OnMode::On, because: None, .. }));
    assert!(matches!(expect("expect ring best on a"), Expect::On { mode: OnMode::BestOn, .. }));
    let refused = expect("expect ring not on a because driver");
    assert!(matches!(refused, Expect::On { mode: OnMode::NotOn, because: Some(_), .. }));
    let refused = expect("expect ring.data not from \"p/i/n\" because size");
    assert!(matches!(refused, Expect::From { negative: true, because: Some(_), .. }));
    assert!(matches!(expect("expect agent a free cpus == 4"), Expect::Free { .. }));
    assert!(matches!(expect("expect agent met"), Expect::Outcome(..)));
    let share = expect("expect role \"R\" share == 2/3");
    assert!(matches!(share, Expect::Share { numerator: 2, denominator: 3, .. }));
    assert!(matches!(expect("expect role \"R\" share == 1"), Expect::Share { denominator: 1, .. }));
    assert!(matches!(expect("expect snapshot"), Expect::Snapshot));
}

#[test]
fn a_statement_that_is_wrong_is_told_once_and_at_its_place() {
    // Text, code, text at the label, and a part of the message or help.
    let cases = [
        ("agnet a1 { cpus = 4 }", "B0108", "agnet", "did you mean `agent`?"),
        ("requre x == 3", "B0108", "requre", "`require`"),
        ("vlan 19", "B0108", "vlan", "`vlan = 19`"),
        ("mem = 32 GiB", "B0107", "GiB", "without a space: `32GiB`"),
        ("a && b", "B0107", "&&", "write `and`"),
        ("a || b", "B0107", "||", "write `or`"),
        ("require !a", "B0107", "!", "write `not`"),
        ("require a = 3", "B0107", "=", "`==` compares"),
        ("a => 3", "B0107", "=>", "write `>=`"),
        ("a =< 3", "B0107", "=<", "write `<=`"),
        ("a <> 3", "B0107", "<>", "write `!=`"),
        ("a not in b", "B0107", "not in", "write `not KEY in SET`"),
        ("agent is not slow", "B0107", "not slow", "write `not agent is slow`"),
        ("a.x is not absent", "B0107", "not absent", "write `a.x is present`"),
        ("os = 'linux'", "B0107", "'linux'", "write \"linux\""),
        ("# note\na = 1", "B0107", "#", "`//`"),
        ("a = 1; b = 2", "B0107", ";", "`;` ends no statement"),
        ("vlan: 19", "B0107", ":", "write `vlan = …`"),
        ("class x { a }", "B0107", "class x", "write `class x for agent {`"),
        ("resources: { a = 1 }", "B0107", "{", "neither `:` nor `=`"),
        ("agent a\n{ x = 1 }", "B0107", "", "on the line of its head"),
        ("agent a b { x = 1 }", "B0107", "b", "expected `{`, found `b`"),
        ("vlan =\nrack = 3", "B0107", "", "expected a value, found the end of the line"),
        ("let x 3", "B0107", "3", "expected `=`, found `3`"),
        ("near data zone", "B0107", "zone", "expected `in`, found `zone`"),
        ("spread zone", "B0107", "zone", "expected `over`"),
        ("at most 3 zone", "B0107", "zone", "expected `per`"),
        ("levels a b", "B0107", "b", "expected `>`"),
        ("charge agent.x 3", "B0107", "", "expected `per`, found the end"),
        ("prefer lbl: near data in zone", "B0107", "data", "no label"),
        ("prefer a weight 2GB", "B0107", "2GB", "without a unit"),
        ("require a witin b", "B0107", "witin", "did you mean `within`?"),
        ("require a == not b", "B0107", "not", "parentheses"),
        ("require 5 is absent", "B0107", "5", "only a side or a key"),
        ("require 3 else 4", "B0107", "else", "only a key"),
        ("require (a b)", "B0107", "b", "expected `)` or an operator"),
        ("require min(a b)", "B0107", "b", "expected an operator or `,` or `)`"),
        ("x = [1 2]", "B0107", "2", "expected `,` or `]`"),
        ("expect ring off a", "B0107", "off", "`unmet`"),
        ("expect ring offered", "B0107", "offered", "`offered 2`"),
        ("expect role r share == 1/0", "B0112", "1/0", "divisor"),
        ("require 1 < a < 2", "B0113", "<", "write `1 < a and a < 2`"),
        ("a is x == b", "B0113", "==", "join two conditions with `and`"),
        ("a == b == c", "B0113", "==", "write `a == b and b == c`"),
    ];
    for (text, code, at, part) in cases {
        let found = problems(text);
        let right =
            found.len() == 1 && found[0].starts_with(&format!("{code} `{at}` ")) && found[0].contains(part);
        assert!(right, "{text}: {found:#?}");
    }
}

#[test]
fn a_literal_that_is_wrong_is_told_with_a_cure() {
    let cases = [
        ("400m", "B0109", "400m", "for thousandths write `0.4`, for megabytes `400MB`, for minutes `400min`"),
        ("1500m", "B0109", "1500m", "`1.5`"),
        ("4Gi", "B0109", "4Gi", "write `4GiB`"),
        ("4G", "B0109", "4G", "`4GB` or `4GiB`, for a bandwidth `4Gbps`"),
        ("4K", "B0109", "4K", "`4kB`"),
        ("4gb", "B0109", "4gb", "`4GB`"),
        ("4sec", "B0109", "4sec", "`4s`"),
        ("4zzzzzz", "B0109", "4zzzzzz", "units are"),
        ("0.1B", "B0110", "0.1B", "a byte"),
        ("0.0000001", "B0110", "0.0000001", "a millionth"),
        ("99EB", "B0111", "99EB", "too large"),
        ("1.2.3", "B0112", "1.2.3", "`v\"1.2.3\"`"),
        ("\"a\\qb\"", "B0112", "\\q", "escapes are"),
        ("\"\\u{110000}\"", "B0112", "\\u{110000}", "escapes are"),
        ("v\"abc\"", "B0112", "v\"abc\"", "no version"),
        ("8..2", "B0112", "8..2", "write `2..8`"),
        ("[8..2]", "B0112", "8..2", "write `2..8`"),
        ("1TB..4s", "B0302", "1TB..4s", "one kind"),
        ("[1, \"a\"]", "B0115", "\"a\"", "not both"),
        ("[1TB]", "B0115", "1TB", "write `x == … or x == …`"),
        ("[v\"1\"]", "B0115", "v\"1\"", "write `x == … or x == …`"),
        ("[linux]", "B0115", "linux", "`\"linux\"`"),
        ("[1..2, 1.5]", "B0115", "1.5", "whole"),
        ("[1TB..2TB]", "B0115", "1TB", "whole"),
    ];
    for (literal, code, at, part) in cases {
        let found = problems(&format!("x = {literal}"));
        let right =
            found.len() == 1 && found[0].starts_with(&format!("{code} `{at}` ")) && found[0].contains(part);
        assert!(right, "{literal}: {found:#?}");
    }
}

#[test]
fn what_the_grammar_never_sees_is_told_before() {
    let cases = [
        ("", "B0116", ""),
        ("// nothing\n", "B0116", ""),
        ("a = \"x", "B0103", "\"x"),
        ("a = \"x\\\nb = \"y\"", "B0103", "\"x\\"),
        ("a = 'x\nb = 1", "B0103", "'x"),
        ("a { b = 1", "B0104", "{"),
        ("a { (b }", "B0104", "("),
        ("a }", "B0104", "}"),
        ("a [1)", "B0104", ")"),
        ("a = \"x\u{202e}y\"", "B0102", "\u{202e}"),
        ("a = 1 // x\u{1b}", "B0102", "\u{1b}"),
        ("a = 1 \r b = 2\n", "B0102", "\r"),
        ("a = \u{0}", "B0102", "\u{0}"),
    ];
    for (text, code, at) in cases {
        let found = problems(text);
        assert!(found.len() == 1 && found[0].starts_with(&format!("{code} `{at}` ")), "{text:?}: {found:#?}");
    }
    assert!(problems("a = \"x\u{202e}y\"")[0].contains("U+202E"));
}

#[test]
fn three_mistakes_give_three_problems_and_the_rest_is_read() {
    let text = "agent a { cpus = 4 }\nagnet b { cpus = 400m }\nbroker m {\n  require x y z and\n    more\n  \
                levels a > b\n}\npool p { size == }\nagent c { os = \"x\" }\n";
    let found = problems(text);
    let starts: Vec<_> =
        found.iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(starts, ["B0108 `agnet`", "B0109 `400m`", "B0107 `y`", "B0107 `}`"], "{found:#?}");
    let (_, parsed) = parse_text(text);
    let bodies: Vec<usize> = parsed
        .ast
        .items
        .iter()
        .map(|item| match &item.kind {
            StatementKind::Block(block) => block.body.statements.len(),
            _ => 99,
        })
        .collect();
    assert_eq!(bodies, [1, 1, 0, 1], "the agents, the levels, an empty pool");
}

#[test]
fn documentation_goes_with_what_it_documents() {
    let text = "//// ruler\n/// one\n///  two\n// aside\n\nagent a { /// not at the head of a line\n  x = 1 /// nor this\n  \
                /// three\n  y = 2\n  /// of nothing\n}\n";
    let (sources, parsed) = parse_text(text);
    assert_eq!(parsed.diagnostics, []);
    let [agent] = &parsed.ast.items[..] else { panic!() };
    assert_eq!(agent.docs, ["one", " two"]);
    let StatementKind::Block(block) = &agent.kind else { panic!() };
    let docs: Vec<_> = block.body.statements.iter().map(|statement| statement.docs.join("|")).collect();
    assert_eq!(docs, ["", "three"]);
    let comments: Vec<_> = parsed.ast.comments.iter().map(|span| sources.text(*span)).collect();
    let expected =
        ["//// ruler", "// aside", "/// not at the head of a line", "/// nor this", "/// of nothing"];
    assert_eq!(comments, expected);
}

#[test]
fn fragments_point_at_the_place_they_are_given() {
    let at = Span::new(SourceId(7), 40, 50);
    let (items, found) = statements("cpus = 4\nmem = 400m\nvlan 3", at);
    assert_eq!((items.len(), items[0].span), (1, at));
    assert!(found.iter().all(|problem| problem.labels[0].span == at), "{found:#?}");
    assert_eq!(found.len(), 2);
    assert_eq!(statements("", at).1, []);
    assert_eq!(expression("\n a\n and b // c\n", at).map(|expr| expr.span), Ok(at));
    for wrong in ["", "a b", "a = 3", "a and", "(a", "400m", "a\u{0}"] {
        let found = expression(wrong, at).expect_err(wrong);
        assert!(!found.is_empty() && found.iter().all(|problem| problem.labels[0].span == at), "{wrong}");
    }
}

#[test]
fn bytes_are_decoded_or_told() {
    let mut sources = Sources::default();
    let (id, found) = decode(&mut sources, "x", b"a = \xff\n");
    assert_eq!((found[0].code, found[0].labels[0].span.start), (Code::B0101, 4));
    assert_eq!(&*sources.get(id).text, "a = \u{fffd}\n");
    let (id, found) = decode(&mut sources, "y", &vec![b' '; limits::SOURCE_BYTES + 1]);
    assert_eq!((found[0].code, &*sources.get(id).text), (Code::B0106, ""));
    assert_eq!(decode(&mut sources, "z", "é".as_bytes()).1, []);
}

#[test]
fn hostile_texts_end_in_ordinary_problems() {
    let n = 100_000;
    let nested = |open: &str, close: &str, depth: usize| {
        format!("x == {}1{}", open.repeat(depth), close.repeat(depth))
    };
    let cases = [
        ("(".repeat(n), "B0105"),
        ("[".repeat(n), "B0105"),
        ("a {".repeat(n), "B0105"),
        (")".repeat(n), "B0104"),
        (nested("(", ")", n), "B0105"),
        (nested("(", ")", limits::NESTING), ""),
        (nested("(", ")", limits::NESTING + 1), "B0105"),
        (nested("min(", ")", limits::NESTING), ""),
        (nested("[", "]", limits::NESTING), "B0115"),
        (format!("{}{}", "a {".repeat(limits::NESTING), "}".repeat(limits::NESTING)), ""),
        (format!("{}{}", "x y {".repeat(limits::NESTING), "}".repeat(limits::NESTING)), "B0108"),
        (format!("x y {}{}", "(".repeat(limits::NESTING), ")".repeat(limits::NESTING)), "B0108"),
        (format!("let x = {}a", "not ".repeat(n)), "B0114"),
        (format!("let x = {}a", "not ".repeat(limits::EXPRESSION_DEPTH)), "B0114"),
        (format!("let x = {}a", "not ".repeat(limits::EXPRESSION_DEPTH - 1)), ""),
        (format!("let x = a{}", " + a".repeat(limits::EXPRESSION_DEPTH)), "B0114"),
        (format!("let x = a{}", " + a".repeat(limits::EXPRESSION_DEPTH - 1)), ""),
        (format!("let x = {}a", "!".repeat(n)), "B0107"),
        (format!("let x = {}a", "-".repeat(n)), "B0114"),
        (format!("let x = {}5", "-".repeat(n)), ""),
        (format!("let x = a{}", " and a".repeat(n)), "B0114"),
        (format!("let x = a{}", " and a".repeat(9_000)), ""),
        (format!("let x = a{}", " + a".repeat(n)), "B0114"),
        (format!("let x = a{}", " else a".repeat(n)), "B0114"),
        (format!("let x = a{}", " == a".repeat(n)), "B0113"),
        (format!("x = [1{}]", ",1".repeat(limits::LIST_MEMBERS)), "B0114"),
        ("a".repeat(limits::SOURCE_BYTES), ""),
        ("=".repeat(limits::SOURCE_BYTES), "B0107"),
        (format!("x = \"{}\"", "a".repeat(limits::TEXT_BYTES)), "B0112"),
        ("1".repeat(n), "B0111"),
        (";".repeat(n), "B0107"),
    ];
    for (text, code) in cases {
        let (_, parsed) = parse_text(&text);
        let found = parsed.diagnostics.first().map(|problem| problem.code.name()).unwrap_or_default();
        let head = &text[..text.len().min(40)];
        assert_eq!(found, code, "{head}");
        assert!(parsed.diagnostics.len() <= limits::PROBLEMS_PER_SOURCE + 1, "{head}");
        assert!(parsed.diagnostics.iter().all(|problem| problem.message.len() < 400), "{head}");
    }
}

/// The spans of a tree, for the mutation test.
fn spans(statements: &[Statement], into: &mut Vec<Span>) {
    for statement in statements {
        into.push(statement.span);
        match &statement.kind {
            StatementKind::Block(block) => {
                into.extend([block.head, block.body.span]);
                into.extend(block.name.iter().map(|name| name.span));
                spans(&block.body.statements, into);
            }
            StatementKind::Assign(assign) => {
                into.extend(assign.key.segments.iter().map(|name| name.span));
                expr_spans(&assign.value, into);
                let none = Body::default();
                spans(&assign.options.as_ref().unwrap_or(&none).statements, into);
            }
            StatementKind::Condition(expr) | StatementKind::Let(_, expr) => expr_spans(expr, into),
            StatementKind::Require(rule) | StatementKind::Prefer(rule) => expr_spans(&rule.expr, into),
            _ => {}
        }
    }
}

fn expr_spans(expr: &Expr, into: &mut Vec<Span>) {
    into.push(expr.span);
    match &expr.kind {
        ExprKind::Not(inner)
        | ExprKind::Negate(inner)
        | ExprKind::Matches(inner, _)
        | ExprKind::Else(_, inner) => {
            expr_spans(inner, into);
        }
        ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::Call(_, parts) => {
            parts.iter().for_each(|part| expr_spans(part, into));
        }
        ExprKind::Test(_, left, right) | ExprKind::Arithmetic(_, left, right) => {
            expr_spans(left, into);
            expr_spans(right, into);
        }
        _ => {}
    }
}

#[test]
fn no_mutation_of_the_tour_is_too_much() {
    let alphabet = b"{}()[]\"'\\,;:=<>!&|+-*/%.#\n\r\t aZ09_\x00\xc3\xa9\xff";
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for round in 0..2_000 {
        let mut bytes = TOUR.as_bytes().to_vec();
        for _ in 0..=next(8) {
            let at = next(bytes.len());
            match next(4) {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, bytes[at]),
                2 => bytes[at] = alphabet[next(alphabet.len())],
                _ => {
                    let (from, length) = (next(bytes.len()), next(40));
                    let piece = bytes[from..(from + length).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        let mut sources = Sources::default();
        let (id, _) = decode(&mut sources, "mutant", &bytes);
        let parsed = parse(&sources, id);
        let text = sources.get(id).text;
        let mut all: Vec<Span> = parsed.ast.comments.clone();
        all.extend(
            parsed.diagnostics.iter().flat_map(|problem| problem.labels.iter().map(|label| label.span)),
        );
        spans(&parsed.ast.items, &mut all);
        for span in all {
            assert!(
                text.get(span.start as usize..span.end as usize).is_some(),
                "round {round}: {span:?}\n{text}"
            );
        }
    }
}
