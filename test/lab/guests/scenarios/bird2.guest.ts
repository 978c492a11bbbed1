import { lifecycles } from "../lifecycle.ts";

lifecycles(2);
