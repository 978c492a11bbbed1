import { OPENWRT } from "./parsers/openwrt.ts";
import { fuzz } from "./suite.ts";

fuzz(OPENWRT);
