import type { Nft, NftResult } from "./nft.ts";
import type { Render } from "./owned-table.ts";

/** Installs the table without an owner, where possible by a text that any kernel and any nft accepts. */
export async function installTable(nft: Nft, render: Render): Promise<NftResult> {
	const result = await nft.apply(render({}));
	if (result.ok || result.cause !== "orphan") return result;
	// A daemon before this one owned it and was killed. Who can make such a table can destroy it as well.
	return nft.apply(render({ destroy: true }));
}
