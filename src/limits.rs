//! Every bound on input and work, in one place. Exceeding one is an ordinary error with a code.

/// Bytes in one policy source.
pub const SOURCE_BYTES: usize = 4 << 20;
/// Bytes in one inventory source (JSON or NDJSON).
pub const INVENTORY_BYTES: usize = 2 << 30;
/// Bytes in the file of one snapshot.
pub const SNAPSHOT_BYTES: usize = 256 << 20;
/// Sources in one policy set, standard modules included.
pub const SOURCES: usize = 10_000;
/// Files and folders visited below a folder of policies.
pub const FOLDER_ENTRIES: usize = 1_000_000;
/// Brackets open at once in a policy source.
pub const NESTING: usize = 64;
/// Statements of one policy source, each ended by a line end or a comma.
pub const STATEMENTS: usize = 200_000;
/// Depth of one expression, its operators counted.
pub const EXPRESSION_DEPTH: usize = 128;
/// Nodes of one expression as written.
pub const EXPRESSION_NODES: usize = 20_000;
/// Work of one rule, with its classes and lets expanded: the most nodes that are evaluated.
pub const RULE_COST: u64 = 1_000_000;
/// Depth of one rule, with its classes and lets expanded.
pub const RULE_DEPTH: u64 = 512;
/// Members of one list or set, and ranges of one range list.
pub const LIST_MEMBERS: usize = 100_000;
/// Bytes of one text value.
pub const TEXT_BYTES: usize = 64 << 10;
/// Bytes of a compiled pattern.
pub const PATTERN_BYTES: usize = 1 << 20;
/// Bytes of the table that a pattern becomes in a plugin.
pub const PLUGIN_PATTERN_BYTES: usize = 256 << 10;
/// Bytes of a plugin or a compiled policy that is read.
pub const BUILT_BYTES: usize = 64 << 20;
/// Columns, rules and conditions of one plugin, each.
pub const PLUGIN_RULES: usize = 10_000;
/// Levels of fault domains a broker may declare, and segments of a place.
pub const LEVELS: usize = 16;
/// Names in the path of a role.
pub const ROLE_DEPTH: usize = 16;
/// Agents, and pools with existing volumes, of one inventory.
pub const INVENTORY_ROWS: usize = 4_000_000;
/// Volumes of one need, with `count` applied.
pub const VOLUMES_PER_NEED: usize = 64;
/// Instances of one need.
pub const NEED_COUNT: i64 = 1_000_000;
/// Needs of one cycle.
pub const NEEDS: usize = 1_000_000;
/// Instances wanted by all the needs of one cycle.
pub const INSTANCES: u64 = 10_000_000;
/// Supplies tried for one candidate before the search gives up and reports it.
pub const ASSIGNMENT_STEPS: u64 = 100_000;
/// Values, or combinations of values, tried for a `together` of the instances of a need.
pub const TOGETHER_TRIED: usize = 100_000;
/// Supplies tried without success in one cycle, for volumes that are assigned one by one; some seconds of
/// work. Past it a need is cut, and the output says so. A supply that serves counts a quarter, one that is
/// listed a thirty-second. Half of the budget is divided evenly among frameworks; the other half serves any
/// of them.
pub const CYCLE_TRIES: u64 = 1_000_000;
/// Parts of the instances granted in one cycle, divided in the same way. Past it a need is cut, and the
/// output says so. An instance has [`INSTANCE_PARTS`] and one more for each amount it takes and each
/// preference it is scored by, of some 500 bytes each.
pub const GRANTED_PARTS: u64 = 1_000_000;
/// Parts of instances that are granted for all-or-nothing needs and taken back, or that are tried to find the
/// reasons of such a need. Divided in the same way; past it such a need is cut.
pub const UNDONE_PARTS: u64 = 2_000_000;
/// Parts of an instance that takes nothing.
pub const INSTANCE_PARTS: u64 = 4;
/// Classes of equal rows for which a condition is evaluated one by one; with more, it is evaluated column by
/// column.
pub const CLASSES_TRIED: usize = 4_096;
/// Open keys of one side that are searched for in every row; with more, the rows that have each key are
/// listed first.
pub const KEYS_BY_ROW: usize = 64;
/// Distinct values of a preference; with more, each row keeps its own.
pub const SCORE_LEVELS: usize = 16;
/// Distinct requirements of holders' own that an index keeps; holders with others are examined one by one.
pub const OWN_RULES_INDEXED: usize = 1_024;
/// Changed rows in the journal of an index; past it all rows count as changed.
pub const JOURNAL_ROWS: usize = 1 << 20;
/// Bytes of the bitmaps that an index caches for conditions; past it they are dropped and computed again.
pub const INDEX_BYTES: usize = 512 << 20;
/// Rejections kept with their reasons in one cycle. Past it they are only counted, and the output says so.
pub const REJECTIONS_KEPT: usize = 8_000_000;
/// Distinct reasons kept in one cycle, of some 600 bytes each. Past it rejections are only counted, and the
/// output says so.
pub const REASONS_KEPT: usize = 500_000;
/// Feasible agents examined in one cycle to find the grants that a need was lost to; past it a need is
/// `bounded`.
pub const LOSSES_LOOKED: u64 = 16_000_000;
/// Conditions that one look for reasons covers. Each further condition counts as a look of its own.
pub const CONDITIONS_PER_LOOK: usize = 32;
/// Agents, supplies and pairs of them examined for reasons in one cycle. Past it they are only counted, and
/// the output says so.
pub const REASONS_LOOKED: usize = 8_000_000;
/// Agents and supplies tried to explain one need, by classes of equal ones, and looks for the reasons of each;
/// past it the explanation stops, or leaves out those that fail, and says so.
pub const EXPLAIN_STEPS: u64 = 4_000_000;
/// Agents and supplies tried to count the offers that one relaxation would give; past it the count is
/// `at least`.
pub const EXPLAIN_COUNT_STEPS: u64 = 400_000;
/// Pairs of a class of agents and a class of supplies examined to explain one need.
pub const EXPLAIN_PAIRS: u64 = 4_000_000;
/// Conditions of one relaxation.
pub const RELAXATION_SIZE: usize = 6;
/// Sets of conditions tried as relaxations of one need.
pub const RELAXATIONS_TRIED: usize = 200;
/// Relaxations reported for one need.
pub const RELAXATIONS_KEPT: usize = 8;
/// Agents, or supplies, examined to find the largest amount that could be asked for instead.
pub const RELAXATION_LEVELS: usize = 100_000;
/// Errors, and notes, kept of one inventory or table; the rest are counted.
pub const PROBLEMS_KEPT: usize = 10_000;
/// Grants named of those that a need was lost to; the rest are counted.
pub const WINNERS_KEPT: usize = 100;
/// Representatives of the values of a key, in one question of the analysis.
pub const REPRESENTATIVES: usize = 1_000;
/// Members of which the analysis tries every set.
pub const ANALYSED_MEMBERS: usize = 7;
/// Patterns on one key of which the analysis tries every choice.
pub const ANALYSED_PATTERNS: usize = 4;
/// Conditions and keys of one question of the analysis: with more, the answer is not known.
pub const ANALYSED_CONDITIONS: usize = 400;
/// Steps of evaluation for one question of the analysis; past it there is no answer, and the analysis says
/// so.
pub const QUESTION_STEPS: u64 = 200_000;
/// Steps of evaluation for all questions of the analysis of a set. Past it no more are asked, and the
/// analysis says so.
pub const ANALYSIS_STEPS: u64 = 5_000_000;
/// Pairs of classes that the analysis compares, to find those that add nothing beside others. Past it no more
/// are compared, and the analysis says so.
pub const CLASS_PAIRS: usize = 20_000;
/// Candidates that the analysis checks against the needs of a set. Past it no more are checked, and the
/// analysis says so.
pub const SERVING_STEPS: u64 = 200_000;
/// Candidates among which the analysis looks for two with different values of a preference.
pub const PREFERRING_STEPS: u64 = 50_000;
/// Problems kept of one source; the rest are counted.
pub const PROBLEMS_PER_SOURCE: usize = 1_000;
/// Problems shown in one run; the rest are counted.
pub const PROBLEMS_SHOWN: usize = 200;
/// Problems of one table whose advice lists every column; later ones point at the header.
pub const COLUMNS_LISTED: usize = 10;
/// Characters of one message, and of its help; the middle of longer ones is left out.
pub const MESSAGE_CHARS: usize = 1_000;
/// Characters of one label.
pub const LABEL_CHARS: usize = 200;
/// Bytes shown of one line of a source.
pub const FRAME_LINE_BYTES: usize = 300;
/// Lines shown of one place.
pub const FRAME_LINES: usize = 8;
/// Places kept of one problem.
pub const PLACES_KEPT: usize = 8;
/// Rows of one table of a page about a set; the rest are counted.
pub const PAGE_ROWS: usize = 200;
/// Bytes of one plugin of a stranger.
pub const PLUGIN_BYTES: usize = 1 << 20;
/// Bytes of a plugin that carries an interpreter.
pub const INTERPRETED_PLUGIN_BYTES: usize = 32 << 20;
/// Core modules, and components, of one plugin.
pub const PLUGIN_MODULES: u32 = 8;
/// Types, imports, exports, instances and aliases of one plugin.
pub const PLUGIN_ITEMS: u32 = 4_000;
/// Parameters, results or fields of one type of a plugin.
pub const PLUGIN_ARITY: u32 = 64;
/// Types declared within types, in one section of a plugin.
pub const PLUGIN_TYPE_DEPTH: u32 = 100;
/// Functions of one plugin.
pub const PLUGIN_FUNCTIONS: u32 = 4_000;
/// Bytes of one function of a plugin.
pub const PLUGIN_BODY_BYTES: usize = 64 << 10;
/// Locals of one function of a plugin.
pub const PLUGIN_LOCALS: u32 = 512;
/// Blocks open at once in a function of a plugin.
pub const PLUGIN_NESTING: u32 = 128;
/// Targets of one `br_table` of a plugin.
pub const PLUGIN_TARGETS: u32 = 512;
/// Work of compiling a plugin: of each function, its values times its blocks.
pub const PLUGIN_COMPILE_WORK: u64 = 2_000_000;
/// Seconds of CPU time that compiling a plugin may take.
pub const PLUGIN_COMPILE_SECONDS: u64 = 10;
/// Bytes of address space of a process that compiles a plugin.
pub const PLUGIN_COMPILE_MEMORY_BYTES: u64 = 1 << 30;
/// Seconds on the wall after which a process that compiles a plugin is given up, however slow the machine.
pub const PLUGIN_COMPILE_WALL_SECONDS: u64 = 600;
/// The factor by which machine code may be larger than its WebAssembly.
pub const PLUGIN_CODE_TIMES: u64 = 64;
/// Bytes of compiled plugins that the command line keeps for other runs; past it those go that were not used
/// for longest.
pub const KEPT_BYTES: u64 = 512 << 20;
/// Compiled plugins that the command line keeps for other runs.
pub const KEPT_PLUGINS: usize = 256;
/// Linear memory of one plugin.
pub const PLUGIN_MEMORY_BYTES: usize = 128 << 20;
/// Elements of the tables of one plugin.
pub const PLUGIN_TABLE_ELEMENTS: usize = 20_000;
/// Core instances, memories and tables of one plugin, each.
pub const PLUGIN_INSTANCES: usize = 16;
/// Bytes of stack of one plugin.
pub const PLUGIN_STACK_BYTES: usize = 512 << 10;
/// Instructions of one call of a plugin, whatever it is about.
pub const PLUGIN_FUEL: u64 = 50_000_000;
/// Instructions of one call of a plugin for each row and rule, or row and column, that it is about.
pub const PLUGIN_FUEL_PER_ROW: u64 = 2_000;
/// Instructions of all calls of a plugin in one cycle, or one explanation.
pub const PLUGIN_CYCLE_FUEL: u64 = 5_000_000_000;
/// More instructions of one cycle for each row and need of the fleet.
pub const PLUGIN_CYCLE_FUEL_PER_ROW: u64 = 2_000;
/// Calls of a plugin in one cycle, or one explanation.
pub const PLUGIN_CYCLE_QUESTIONS: u64 = 1_000_000;
/// Milliseconds of one call of a plugin on the wall: hundreds of times what its fuel takes.
pub const PLUGIN_DEADLINE_MS: u64 = 600_000;
/// The weight that the preferences of a plugin may have together, unless it is the operator's own.
pub const PLUGIN_WEIGHT: u64 = 100;
/// Bytes that one call of a plugin hands back beyond what its rows need.
pub const PLUGIN_RESULT_BYTES: usize = 1 << 20;
/// Values by which answers of one plugin are kept, of each kind of answer; past it all are asked for again.
pub const FILTER_ANSWERS: usize = 1_000_000;
/// Bytes of one answer of a plugin; larger questions are asked in parts.
pub const PLUGIN_ANSWER_BYTES: usize = 16 << 20;
/// Columns that one plugin reads.
pub const PLUGIN_COLUMNS: usize = 1_000;
/// Literals that one plugin compares with.
pub const PLUGIN_LITERALS: usize = 10_000;

// The relations that the code relies on.
const _: () = assert!(SOURCE_BYTES <= INVENTORY_BYTES);
const _: () = assert!(INVENTORY_BYTES < u32::MAX as usize);
const _: () = assert!(NESTING < EXPRESSION_DEPTH && EXPRESSION_DEPTH as u64 <= RULE_DEPTH);
const _: () = assert!(LEVELS < 256 && VOLUMES_PER_NEED < 1_000);
const _: () = assert!(ANALYSED_MEMBERS < 32 && ANALYSED_PATTERNS < 32 && QUESTION_STEPS <= ANALYSIS_STEPS);
const _: () = assert!((NEED_COUNT as u64) <= INSTANCES && ASSIGNMENT_STEPS <= CYCLE_TRIES);
