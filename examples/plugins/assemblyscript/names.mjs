// The names of the interface are no identifiers of AssemblyScript: exports get theirs once they are compiled.
const filter = "bourse:filter/filter@0.1.0#";

const names = {
  describe: `${filter}describe`,
  loadFleet: `${filter}load`,
  update: `${filter}update`,
  evaluate: `${filter}evaluate`,
  afterUpdate: `cabi_post_${filter}update`,
  afterEvaluate: `cabi_post_${filter}evaluate`,
};

export default class {
  afterCompile(module) {
    for (const [plain, name] of Object.entries(names)) {
      module.removeExport(plain);
      module.addFunctionExport(`assemblyscript/filter/${plain}`, name);
    }
  }
}
