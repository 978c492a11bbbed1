import { SERVICE } from "./parsers/service.ts";
import { fuzz } from "./suite.ts";

fuzz(SERVICE);
