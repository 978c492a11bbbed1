import { LIB } from "./parsers/lib.ts";
import { fuzz } from "./suite.ts";

fuzz(LIB);
