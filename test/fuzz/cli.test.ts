import { CLI } from "./parsers/cli.ts";
import { fuzz } from "./suite.ts";

fuzz(CLI);
