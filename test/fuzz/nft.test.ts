import { NFT_TEXT } from "./parsers/nft.ts";
import { fuzz } from "./suite.ts";

fuzz(NFT_TEXT);
