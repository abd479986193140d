//! The encoding of each part of a plan. A change here needs a new `PLAN_VERSION`.

use super::codec::{ByteReader, Form};
use crate::{
    emit::Owners,
    ir::{
        self, Amount, Ask, Broker, Charge, ChargePer, ClassAsk, Column, ColumnId, Definition, DefinitionId,
        Disclosed, ExternalQuestion, ExternalRule, Framework, Key, Limit, Need, Node, NodeId, Pattern, Place,
        PlaceKey, PlaceKind, Plan, Request, Role, Rule, SideSet, Target, Volume,
    },
    operator::{ArithmeticOp, Function, Strength, TestOp},
    quantity::{Dimension, Overlap, Quantity},
    ranges::Ranges,
    source::{SourceId, Span},
    symbol::{Symbol, Symbols},
    types::{Side, Type},
    value::{Value, Version},
};

/// Encodes a struct as its fields, in the order given here.
macro_rules! records {
    ($($name:ident { $($field:ident),* $(,)? })*) => {
        $(impl Form for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $(self.$field.put(out);)*
            }
            fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
                Ok($name { $($field: Form::take(reader)?),* })
            }
        })*
    };
}

/// Encodes an enum as the number of the variant, then its fields. The numbers are part of the format: a new
/// variant takes a new number.
macro_rules! choices {
    ($($name:ident { $($number:literal $case:ident $(($($part:ident),*))? $({$($field:ident),*})?),* $(,)? })*) => {
        $(impl Form for $name {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $($name::$case $(($($part),*))? $({$($field),*})? => {
                        out.push($number);
                        $($($part.put(out);)*)?
                        $($($field.put(out);)*)?
                    })*
                }
            }
            fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
                match u8::take(reader)? {
                    $($number => {
                        $($(let $part = Form::take(reader)?;)*)?
                        $($(let $field = Form::take(reader)?;)*)?
                        Ok($name::$case $(($($part),*))? $({$($field),*})?)
                    })*
                    _ => Err(concat!("an unknown case of ", stringify!($name)).to_owned()),
                }
            }
        })*
    };
}

/// Encodes a newtype as the number in it.
macro_rules! ids {
    ($($name:ident),*) => {
        $(impl Form for $name {
            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }
            fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
                Form::take(reader).map($name)
            }
        })*
    };
}

ids!(NodeId, ColumnId, DefinitionId, SourceId);

records! {
    Owners { agents, tiers }
    Span { source, start, end }
    Column { side, key }
    Definition { name, class_of, root, sides, span, docs, standard }
    Rule { label, labelled, strength, root, sides, span, docs }
    Charge { resource, root, sides, reads, per, span }
    Broker { name, requires, prefers, charges, exposed, disclosed, lends, overlap }
    Disclosed { counts, scores }
    Role { name, weight, keys, limits, span }
    Limit { side, resource, amount, span }
    Quantity { dimension, amount }
    Framework { name, role, principal, served, keys, needs, span }
    Need { name, count, keys, agent, places, volumes, counted, all_or_nothing, accept_revocable, span, docs }
    Volume { name, ordinal, request, filesystem, read_only, source, places }
    ExternalRule { filter, question, text, want, subject, reads, agent, conditions }
    Request { amounts, classes, conditions }
    Ask { resource, amount, span }
    ClassAsk { class, negated, span }
    Place { kind, strength, number, span }
    Plan {
        symbols, levels, columns, column_types, nodes, spans, definitions, patterns, broker, roles, frameworks,
        agent_rules, tier_rules, asked, resources,
    }
}

choices! {
    Dimension { 0 Number, 1 Size, 2 Bandwidth, 3 Duration }
    Side { 0 Agent, 1 Pool, 2 Volume, 3 Need, 4 Framework, 5 Role, 6 Broker }
    Type { 0 Bool, 1 Quantity(of), 2 Text, 3 Version, 4 Place, 5 Texts, 6 Numbers, 7 Ranges }
    Value {
        0 Bool(holds), 1 Quantity(of, amount), 2 Text(text), 3 Version(version), 4 Place(place), 5 Texts(members),
        6 Numbers(members), 7 Ranges(ranges),
    }
    TestOp {
        0 Equal, 1 NotEqual, 2 Less, 3 LessOrEqual, 4 Greater, 5 GreaterOrEqual, 6 In, 7 Has, 8 HasAny, 9 HasAll,
        10 Within,
    }
    ArithmeticOp { 0 Add, 1 Subtract, 2 Multiply, 3 Divide }
    Function { 0 Min, 1 Max, 2 Abs, 3 Clamp, 4 Closeness }
    Key {
        0 Attribute(key), 1 Name, 2 Domain, 3 Level(depth), 4 Total(of), 5 Free(of), 6 Used(of), 7 Provider,
        8 Instance,
    }
    Node {
        0 Constant(value), 1 Read(column), 2 Named(definition), 3 Not(inner), 4 And(parts), 5 Or(parts),
        6 Test(op, left, right), 7 Matches(inner, pattern), 8 IsAbsent(column), 9 IsPresent(column),
        10 Arithmetic(op, left, right), 11 Negate(inner), 12 Else(column, other), 13 Call(function, parts),
        14 External(at),
    }
    ExternalQuestion { 0 Rule(of), 1 Condition(of), 2 Healthy }
    ChargePer { 0 Volume, 1 Need }
    Overlap { 0 Part(part), 1 Unlimited }
    Amount { 0 Scalar(of, low, high), 1 Ranges(ranges), 2 Items(items) }
    PlaceKind {
        0 Within(places), 1 Outside(places), 2 Near(target, key), 3 Apart(target, key),
        4 AtMost { count, key, among_framework }, 5 Spread { key, skew, at_least }, 6 Together(key),
    }
    Target { 0 Volume(name), 1 Need(at), 2 NeedVolume(at, name) }
    PlaceKey { 0 Level(depth), 1 Agent, 2 Pool, 3 Instance, 4 Provider, 5 Key(column) }
}

/// Encoded as its weight, if it has one.
impl Form for Strength {
    fn put(&self, out: &mut Vec<u8>) {
        self.weight().put(out);
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        Ok(<Option<i64> as Form>::take(reader)?.map_or(Strength::Require, Strength::Prefer))
    }
}

impl Form for Symbol {
    fn put(&self, out: &mut Vec<u8>) {
        (self.index() as u32).put(out);
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        u32::take(reader).map(Symbol::numbered)
    }
}

impl Form for Symbols {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        self.texts().for_each(|text| text.to_owned().put(out));
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        // Symbols are numbered in order of first use, so interning the texts in order restores the numbers. A
        // repeated text would shift all that follow.
        let texts: Vec<String> = Form::take(reader)?;
        let mut symbols = Symbols::default();
        for text in &texts {
            symbols.intern(text);
        }
        if symbols.len() == texts.len() { Ok(symbols) } else { Err("a text stands twice".to_owned()) }
    }
}

impl Form for std::sync::Arc<Version> {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_string().put(out);
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        let text = String::take(reader)?;
        Version::parse(&text).map(Into::into).ok_or_else(|| format!("`{text}` is no version"))
    }
}

impl Form for Ranges {
    fn put(&self, out: &mut Vec<u8>) {
        self.parts().to_vec().put(out);
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        // Merging changes nothing in ranges that are sorted, disjoint and not adjacent.
        let parts: Vec<(i64, i64)> = Form::take(reader)?;
        let ranges = Ranges::new(parts.iter().copied());
        if ranges.parts() == parts { Ok(ranges) } else { Err("ranges out of order".to_owned()) }
    }
}

impl Form for std::sync::Arc<Ranges> {
    fn put(&self, out: &mut Vec<u8>) {
        Ranges::put(self, out);
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        Ranges::take(reader).map(Into::into)
    }
}

impl Form for SideSet {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().collect::<Vec<Side>>().put(out);
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        let sides: Vec<Side> = Form::take(reader)?;
        Ok(sides.into_iter().fold(SideSet::default(), SideSet::with))
    }
}

impl Form for Pattern {
    fn put(&self, out: &mut Vec<u8>) {
        self.text.put(out);
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        // A compiled regular expression has no encoding: the text is compiled again, under the same limits.
        let text = String::take(reader)?;
        let regex = ir::pattern(&text)?;
        Ok(Pattern { text, regex })
    }
}
