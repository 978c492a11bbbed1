import { causesOf } from "./causes.ts";
import { kinds } from "./kinds.ts";

causesOf(kinds.calico);
