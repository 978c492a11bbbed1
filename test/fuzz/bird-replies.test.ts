import { BIRD_REPLIES } from "./parsers/bird-replies.ts";
import { fuzz } from "./suite.ts";

fuzz(BIRD_REPLIES);
