import { CONFIG } from "./parsers/config.ts";
import { fuzz } from "./suite.ts";

fuzz(CONFIG);
