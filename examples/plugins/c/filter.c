// The sample filter in C, without any library: the records of the interface, as they lie in memory, are C structs.
// See ../README.md for what it does and how it is built.

#include <stdbool.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define FILTER "bourse:filter/filter@0.1.0#"
#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define TEXT(text) { text, sizeof(text) - 1 }
#define LIST(array) { array, COUNT(array) }

// ----- memory: an arena that only grows, and is cut back after each answer -----

extern uint8_t __heap_base;
static uintptr_t top, kept;

static void *take(uintptr_t align, uintptr_t bytes) {
    if (top == 0) top = (uintptr_t)&__heap_base;
    uintptr_t at = (top + align - 1) & ~(align - 1);
    top = at + bytes;
    uintptr_t have = __builtin_wasm_memory_size(0) * 65536;
    if (top > have && __builtin_wasm_memory_grow(0, (top - have + 65535) / 65536) == (uintptr_t)-1) __builtin_trap();
    return (void *)at;
}

EXPORT("cabi_realloc")
void *cabi_realloc(void *old, uintptr_t old_size, uintptr_t align, uintptr_t size) {
    uint8_t *made = take(align, size);
    for (uintptr_t i = 0; i < old_size && i < size; i++) made[i] = ((uint8_t *)old)[i];
    return made;
}

// ----- the records of the interface -----

typedef struct { const char *at; uint32_t len; } text;
typedef struct { const uint32_t *at; uint32_t len; } u32s;
typedef struct { uint64_t *at; uint32_t len; } bits;

typedef struct { uint8_t side; struct { uint8_t kind; text name; } key; uint8_t kind; bool required; } column;
typedef struct { uint8_t kind; int64_t weight; } purpose;
typedef struct { uint8_t kind; text name; } scope;
typedef struct {
    text label; bool labelled; purpose purpose; scope scope; uint8_t sides; uint32_t whole; u32s conditions;
} rule;
typedef struct { bool some; uint32_t value; } maybe;
typedef struct { text text, want; maybe subject; bool operand; u32s reads; } condition;
typedef struct {
    text name, producer;
    struct { const column *at; uint32_t len; } columns;
    struct { const rule *at; uint32_t len; } rules;
    struct { const condition *at; uint32_t len; } conditions;
    struct { const text *at; uint32_t len; } expressions, literals, versions;
    uint8_t wants;
} descriptor;

typedef struct {
    uint32_t column; bits known, mismatched;
    struct { uint8_t kind; union { bits booleans; struct { int64_t *at; uint32_t len; } integers;
             struct { uint32_t *at; uint32_t len; } numbers; uint32_t all[6]; }; } cells;
} data;
typedef struct { data *at; uint32_t len; } datas;
typedef struct { uint32_t rows; datas columns; } table;
typedef struct { uint32_t count; u32s parents, depths, ends; text bytes; } symbols;
typedef struct { symbols symbols; u32s literals, versions, version_literals; table agents, pools; } snapshot;
typedef struct { uint32_t rows; u32s changed; datas columns; } table_changes;
typedef struct { symbols symbols; u32s versions; table_changes agents, pools; } changes;
typedef struct { uint8_t error; text why; } result;
typedef struct { bits holds, unknown; struct { int32_t *at; uint32_t len; } earned; } answer;

// ----- what this filter is -----

enum { AGENT, POOL };                                       // sides
enum { BOOLEAN = 0, NUMBER = 1, KIND_TEXT = 5 };            // kinds
enum { GPUS, AGENT_SITE, POOL_SITE, CLASS, SSD, COLUMNS };  // columns
enum { NO, YES, UNKNOWN };                                  // answers

static const column columns[COLUMNS] = {
    [GPUS] = { AGENT, { 0, TEXT("gpus") }, NUMBER, false },
    [AGENT_SITE] = { AGENT, { 0, TEXT("site") }, KIND_TEXT, false },
    [POOL_SITE] = { POOL, { 0, TEXT("site") }, KIND_TEXT, false },
    [CLASS] = { POOL, { 0, TEXT("class") }, KIND_TEXT, false },
    [SSD] = { POOL, { 0, TEXT("ssd") }, BOOLEAN, false },
};
static const uint32_t reads[] = { GPUS, AGENT_SITE, POOL_SITE, CLASS, SSD };
static const uint32_t numbers[] = { 0, 1, 2, 3 };
static const condition conditions[] = {
    { TEXT("agent.gpus >= 2"), TEXT(">= 2"), { true, GPUS }, false, { &reads[0], 1 } },
    { TEXT("agent.site == pool.site"), TEXT("== pool.site"), { true, AGENT_SITE }, false, { &reads[1], 2 } },
    { TEXT("pool.class != \"archive\""), TEXT("!= \"archive\""), { true, CLASS }, false, { &reads[3], 1 } },
    { TEXT("pool.ssd == true"), TEXT("== true"), { true, SSD }, false, { &reads[4], 1 } },
};
static const rule rules[] = {
    { TEXT("gpus"), true, { 0, 0 }, { 0 }, 1 << AGENT, 0, { &numbers[0], 1 } },
    { TEXT("site"), true, { 0, 0 }, { 0 }, 1 << AGENT | 1 << POOL, 1, { &numbers[1], 1 } },
    { TEXT("not-archive"), true, { 0, 0 }, { 0 }, 1 << POOL, 2, { &numbers[2], 1 } },
    { TEXT("ssd"), true, { 1, 10000000 }, { 0 }, 1 << POOL, 3, { &numbers[3], 1 } },
};
static const text literals[] = { TEXT("archive") };
static const descriptor self = {
    .name = TEXT("sample"), .producer = TEXT("by hand, in C"), .columns = LIST(columns), .rules = LIST(rules),
    .conditions = LIST(conditions), .literals = LIST(literals),
};

EXPORT(FILTER "describe") const descriptor *describe(void) { return &self; }

// ----- the fleet: the columns stay where the host has put them -----

static data *fleet[COLUMNS];
static uint32_t agents, pools, archive;
static result done;

EXPORT(FILTER "load")
const result *load(const snapshot *given) {
    agents = given->agents.rows;
    pools = given->pools.rows;
    archive = given->literals.at[0];
    const table *tables[] = { &given->agents, &given->pools };
    for (int side = 0; side < 2; side++)
        for (uint32_t i = 0; i < tables[side]->columns.len; i++)
            fleet[tables[side]->columns.at[i].column] = &tables[side]->columns.at[i];
    kept = top;
    return &done;
}

static bool bit(bits words, uint32_t row) { return words.len > row / 64 && words.at[row / 64] >> row % 64 & 1; }

static void set(bits words, uint32_t row, bool value) {
    if (words.len <= row / 64) return;
    uint64_t one = 1ull << row % 64;
    words.at[row / 64] = value ? words.at[row / 64] | one : words.at[row / 64] & ~one;
}

static const char refusal[] = "it takes no new rows";

// Rows that are changed are written over. What is not known has no value here, absent or of another kind.
static bool change(const table_changes *given, uint32_t rows) {
    if (given->rows != rows) return false;
    for (uint32_t i = 0; i < given->columns.len; i++) {
        const data *from = &given->columns.at[i];
        data *to = fleet[from->column];
        for (uint32_t j = 0; j < given->changed.len; j++) {
            uint32_t row = given->changed.at[j];
            set(to->known, row, bit(from->known, j));
            if (to->cells.kind == 0) set(to->cells.booleans, row, bit(from->cells.booleans, j));
            if (to->cells.kind == 1) to->cells.integers.at[row] = from->cells.integers.at[j];
            if (to->cells.kind == 2) to->cells.numbers.at[row] = from->cells.numbers.at[j];
        }
    }
    return true;
}

EXPORT(FILTER "update")
const result *update(const changes *given) {
    static result refused = { 1, TEXT(refusal) };
    return change(&given->agents, agents) && change(&given->pools, pools) ? &done : &refused;
}

// ----- the rules -----

// Whether a row has a value in a column. Row -1: the side is not tried.
static bool knows(int column, uint32_t row) { return row != (uint32_t)-1 && fleet[column] && bit(fleet[column]->known, row); }
static uint32_t symbol(int column, uint32_t row) { return fleet[column]->cells.numbers.at[row]; }

static int judge(uint32_t rule, uint32_t agent, uint32_t pool) {
    switch (rule) {
        case 0: return knows(GPUS, agent) ? fleet[GPUS]->cells.integers.at[agent] >= 2000000 : UNKNOWN;
        case 1:
            if (!knows(AGENT_SITE, agent) || !knows(POOL_SITE, pool)) return UNKNOWN;
            return symbol(AGENT_SITE, agent) == symbol(POOL_SITE, pool);
        case 2: return knows(CLASS, pool) ? symbol(CLASS, pool) != archive : UNKNOWN;
        default: return knows(SSD, pool) ? bit(fleet[SSD]->cells.booleans, pool) : UNKNOWN;
    }
}

enum { NONE, ALL, THESE };

static uint32_t count(uint32_t which, uint32_t these, uint32_t rows) {
    return which == NONE ? 1 : which == ALL ? rows : these;
}

static uint32_t row(uint32_t which, const uint32_t *these, uint32_t i) {
    return which == NONE ? (uint32_t)-1 : which == ALL ? i : these[i];
}

EXPORT(FILTER "evaluate")
const answer *evaluate(const void *facts, uint32_t n_facts, const uint32_t *asked, uint32_t n_asked, uint32_t which_agents,
                       const uint32_t *these_agents, uint32_t n_agents, uint32_t which_pools, const uint32_t *these_pools,
                       uint32_t n_pools) {
    (void)facts, (void)n_facts;
    static answer told;
    uint32_t a = count(which_agents, n_agents, agents), p = count(which_pools, n_pools, pools);
    bool both = which_agents != NONE && which_pools != NONE;
    uint32_t line = (both ? p : a * p) + 63, words = line / 64 * (both ? a : 1);
    uint32_t planes = 0, numbers = 0;
    for (uint32_t i = 0; i < n_asked; i++) rules[asked[i]].purpose.kind == 1 ? numbers++ : planes++;
    told.holds = (bits){ take(8, planes * words * 8), planes * words };
    told.unknown = (bits){ take(8, planes * words * 8), planes * words };
    told.earned.at = take(4, numbers * a * p * 4);
    told.earned.len = numbers * a * p;
    for (uint32_t i = 0; i < planes * words; i++) told.holds.at[i] = told.unknown.at[i] = 0;
    uint32_t plane = 0, earned = 0;
    for (uint32_t i = 0; i < n_asked; i++) {
        bool prefers = rules[asked[i]].purpose.kind == 1;
        for (uint32_t j = 0; j < a; j++)
            for (uint32_t k = 0; k < p; k++) {
                int said = judge(asked[i], row(which_agents, these_agents, j), row(which_pools, these_pools, k));
                uint32_t at = plane * words * 64 + (both ? j * (line / 64 * 64) + k : j * p + k);
                if (prefers) told.earned.at[earned++] = said == UNKNOWN ? -1 : said * 1000000;
                else if (said == YES) set(told.holds, at, true);
                else if (said == UNKNOWN) set(told.unknown, at, true);
            }
        if (!prefers) plane++;
    }
    return &told;
}

EXPORT("cabi_post_" FILTER "update") void after_update(const result *told) { (void)told; top = kept; }
EXPORT("cabi_post_" FILTER "evaluate") void after_evaluate(const answer *told) { (void)told; top = kept; }
