import { KERNEL } from "./parsers/kernel.ts";
import { fuzz } from "./suite.ts";

fuzz(KERNEL);
