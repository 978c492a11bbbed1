/** Columns and colours for a terminal. */

import { printable } from "../../lib/printable.ts";

/** How text for people is written. */
export interface TextOptions {
	/** Whether to use the terminal's colours; the caller asks isTerminal and NO_COLOR. */
	readonly color: boolean;
}

export type Color = "green" | "yellow" | "red" | "bold" | "dim";

const CODES: Readonly<Record<Color, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

export function paint(text: string, color: Color | undefined, options: TextOptions): string {
	return options.color && color && text !== "" ? `\x1b[${CODES[color]}m${text}\x1b[0m` : text;
}

export interface Cell {
	/** Absent: `-`. Made harmless here. */
	readonly text: string | undefined;
	readonly color?: Color;
}

export interface Column {
	readonly title: string;
	readonly right?: boolean;
}

/** Lines of aligned columns, two spaces apart, under a line of titles. No line ends in spaces. */
export function renderTable(
	columns: readonly Column[],
	rows: readonly (readonly Cell[])[],
	options: TextOptions,
): string[] {
	const head = columns.map((column): Cell => ({ text: column.title, color: "dim" }));
	const lines = [head, ...rows].map((row) =>
		columns.map((_, index) => ({ ...row[index], text: printable(row[index]?.text || "-", CELL_LIMIT) })),
	);
	const widths = columns.map((_, index) => Math.max(...lines.map((line) => width(line[index]?.text ?? ""))));
	return lines.map((line) =>
		line
			.map((cell, index) => {
				const space = " ".repeat((widths[index] ?? 0) - width(cell.text));
				const shown = paint(cell.text, cell.color, options);
				if (columns[index]?.right) return space + shown;
				return index === line.length - 1 ? shown : shown + space;
			})
			.join("  "),
	);
}

/** Lines of `Label    value`; a value that is undefined is left out, one of several lines is indented. */
export function renderFields(
	fields: readonly (readonly [string, string | undefined])[],
	options: TextOptions,
): string[] {
	const shown = fields.filter((field): field is [string, string] => field[1] !== undefined);
	const indent = Math.max(0, ...shown.map(([label]) => label.length)) + 2;
	return shown.flatMap(([label, value]) =>
		value.split("\n").map((line, index) => {
			return (
				(index === 0
					? paint(label, "dim", options) + " ".repeat(indent - label.length)
					: " ".repeat(indent)) + line
			);
		}),
	);
}

/** `1 peer`, `2 peers`. */
export function count(number: number, one: string, many = `${one}s`): string {
	return `${number} ${number === 1 ? one : many}`;
}

const CELL_LIMIT = 64;

function width(text: string): number {
	return [...text].length;
}
