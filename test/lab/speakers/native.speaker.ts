import { kinds } from "./kinds.ts";
import { incidentsOf } from "./scenarios.ts";

incidentsOf(kinds.native);
