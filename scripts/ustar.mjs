/** A ustar archive (POSIX.1-1988, pax(1) "ustar Interchange Format"), owners root:root: the form opkg reads. */

const BLOCK = 512;
/** Room in the name field; the prefix field for longer ones is not used here. */
const NAME_BYTES = 100;

/**
 * @param {readonly { name: string, mode: number, data?: Buffer }[]} entries in the order they are to be stored; a
 *   name ending in `/` is a directory
 * @param {number} mtime seconds since 1970, the same for all
 * @returns {Buffer}
 * @throws {Error} for a name that is too long
 */
export function ustar(entries, mtime) {
	const blocks = entries.flatMap(({ name, mode, data = Buffer.alloc(0) }) => {
		const padding = Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK);
		return [header(name, mode, data.length, mtime), data, padding];
	});
	return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/**
 * @param {Buffer} archive as `ustar` makes it
 * @param {string} name
 * @returns {Buffer} the content of that entry
 * @throws {Error} when there is none
 */
export function member(archive, name) {
	for (let offset = 0; archive[offset]; ) {
		const text = (start, length) => archive.toString("latin1", offset + start, offset + start + length);
		const size = Number.parseInt(text(124, 11), 8);
		const begin = offset + BLOCK;
		if (text(0, NAME_BYTES).replace(/\0.*$/s, "") === name) return archive.subarray(begin, begin + size);
		offset = begin + Math.ceil(size / BLOCK) * BLOCK;
	}
	throw new Error(`ustar: ${name}: not in the archive`);
}

function header(name, mode, size, mtime) {
	if (Buffer.byteLength(name) > NAME_BYTES)
		throw new Error(`ustar: ${name}: longer than ${NAME_BYTES} bytes`);
	const block = Buffer.alloc(BLOCK);
	block.write(name, 0);
	block.write(octal(mode, 7), 100);
	block.write(octal(0, 7), 108);
	block.write(octal(0, 7), 116);
	block.write(octal(size, 11), 124);
	block.write(octal(mtime, 11), 136);
	// The checksum is taken with spaces in its own place.
	block.write(" ".repeat(8), 148);
	block.write(name.endsWith("/") ? "5" : "0", 156);
	block.write("ustar\0" + "00", 257, "latin1");
	block.write("root", 265);
	block.write("root", 297);
	const sum = block.reduce((total, byte) => total + byte, 0);
	block.write(`${octal(sum, 6)}\0 `, 148);
	return block;
}

function octal(value, digits) {
	return value.toString(8).padStart(digits, "0");
}
