import { RULESET } from "./parsers/ruleset.ts";
import { fuzz } from "./suite.ts";

fuzz(RULESET);
