import { BIRD_CONF } from "./parsers/bird-conf.ts";
import { fuzz } from "./suite.ts";

fuzz(BIRD_CONF);
