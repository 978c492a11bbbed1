import { NETWORKS } from "./parsers/networks.ts";
import { fuzz } from "./suite.ts";

fuzz(NETWORKS);
