"""The sample filter in Python. See ../README.md for what it does and how it is built."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import filter as wit

MILLION = 1_000_000

GPUS, AGENT_SITE, POOL_SITE, CLASS, SSD = range(5)


def column(side, name, kind):
    return wit.Column(side, wit.Key_Attribute(name), kind, required=False)


def condition(text, want, *reads):
    """A condition about the first column it reads."""
    return wit.Condition(text, want, reads[0], operand=False, reads=list(reads))


def rule(label, purpose, sides, whole):
    return wit.Rule(label, True, purpose, wit.Scope_Everyone(), sides, whole, [whole])


AGENT, POOL = wit.Sides.AGENT, wit.Sides.POOL
REQUIRE, PREFER = wit.Purpose_Require(), wit.Purpose_Prefer(10 * MILLION)

SELF = wit.Descriptor(
    name="sample",
    producer="by hand, in Python",
    columns=[
        column(wit.Side.AGENT, "gpus", wit.Kind.NUMBER),
        column(wit.Side.AGENT, "site", wit.Kind.TEXT),
        column(wit.Side.POOL, "site", wit.Kind.TEXT),
        column(wit.Side.POOL, "class", wit.Kind.TEXT),
        column(wit.Side.POOL, "ssd", wit.Kind.BOOLEAN),
    ],
    rules=[
        rule("gpus", REQUIRE, AGENT, 0),
        rule("site", REQUIRE, AGENT | POOL, 1),
        rule("not-archive", REQUIRE, POOL, 2),
        rule("ssd", PREFER, POOL, 3),
    ],
    conditions=[
        condition("agent.gpus >= 2", ">= 2", GPUS),
        condition("agent.site == pool.site", "== pool.site", AGENT_SITE, POOL_SITE),
        condition('pool.class != "archive"', '!= "archive"', CLASS),
        condition("pool.ssd == true", "== true", SSD),
    ],
    expressions=[],
    literals=["archive"],
    version_literals=[],
    wants=wit.Wants(0),
)


def bit(words, row):
    return words[row // 64] >> row % 64 & 1 == 1


def values(data, rows):
    """A column as Python has it: the value of each row, or `None`, where it is absent or of another kind."""
    cells = data.cells.value
    value = (lambda row: bit(cells, row)) if isinstance(data.cells, wit.Cells_Booleans) else cells.__getitem__
    return [value(row) if bit(data.known, row) else None for row in range(rows)]


def bitmap(truths):
    """One bit for each truth, in whole words."""
    words = [0] * ((len(truths) + 63) // 64)
    for at, truth in enumerate(truths):
        if truth:
            words[at // 64] |= 1 << at % 64
    return words


def tried(which, count):
    """The rows of a side that is tried: a side that is not has one candidate without any keys, row `None`."""
    match which:
        case wit.Rows_All():
            return range(count)
        case wit.Rows_These(rows):
            return rows
        case _:
            return [None]


class Filter(exports.Filter):
    """What the host calls. The world has one filter, so that there is one fleet in an instance."""

    # By column; one that was never given is without values.
    fleet = {}
    agents = pools = 0
    archive = None

    def describe(self):
        return SELF

    def load(self, fleet):
        Filter.agents, Filter.pools = fleet.agents.rows, fleet.pools.rows
        [Filter.archive] = fleet.literals
        for table in (fleet.agents, fleet.pools):
            for data in table.columns:
                self.fleet[data.column] = values(data, table.rows)

    def update(self, what):
        if (what.agents.rows, what.pools.rows) != (self.agents, self.pools):
            raise Err("it takes no new rows")
        for table in (what.agents, what.pools):
            for data in table.columns:
                for row, value in zip(table.changed, values(data, len(table.changed))):
                    self.fleet[data.column][row] = value

    def value(self, column, row):
        return self.fleet[column][row] if row is not None and column in self.fleet else None

    def judge(self, rule, agent, pool):
        """True, false, or `None` where it is unknown."""
        match rule:
            case 0:
                gpus = self.value(GPUS, agent)
                return None if gpus is None else gpus >= 2 * MILLION
            case 1:
                site, other = self.value(AGENT_SITE, agent), self.value(POOL_SITE, pool)
                return None if site is None or other is None else site == other
            case 2:
                kind = self.value(CLASS, pool)
                return None if kind is None else kind != self.archive
            case _:
                return self.value(SSD, pool)

    def evaluate(self, asked):
        agents, pools = tried(asked.agents, self.agents), tried(asked.pools, self.pools)
        # Each agent has a bitmap of its own where both sides are tried.
        both = not isinstance(asked.agents, wit.Rows_None_) and not isinstance(asked.pools, wit.Rows_None_)
        answer = wit.Answer(holds=[], unknown=[], earned=[])
        for rule in asked.rules:
            said = [[self.judge(rule, agent, pool) for pool in pools] for agent in agents]
            lines = said if both else [[truth for line in said for truth in line]]
            for line in lines:
                if isinstance(SELF.rules[rule].purpose, wit.Purpose_Prefer):
                    answer.earned += [-1 if truth is None else truth * MILLION for truth in line]
                else:
                    answer.holds += bitmap([truth is True for truth in line])
                    answer.unknown += bitmap([truth is None for truth in line])
        return answer
