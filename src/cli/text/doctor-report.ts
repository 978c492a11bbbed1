import type { Finding } from "../../doctor/finding.ts";
import type { Report, ServicePath } from "../../doctor/judge.ts";
import { printable } from "../../lib/printable.ts";
import type { Level } from "../../model/catalog.ts";
import { count, paint, type TextOptions } from "./layout.ts";

/** Columns of a page. */
const WIDTH = 100;
const TEXT_LIMIT = 600;

/** What `bgpwarden doctor` prints: root causes, then what else is wrong or may become so, then what is fine. */
export function renderReport(report: Report, options: TextOptions): string {
	const { causes, review } = report;
	const blocks = [paint(headline(report), report.level, options)];
	if (report.service) blocks.push(renderPath(report.service, options));
	for (const cause of causes) blocks.push(renderFinding(cause, options));
	for (const finding of review) if (finding.level !== "green") blocks.push(renderFinding(finding, options));
	const fine = review.filter(({ level }) => level === "green");
	if (fine.length > 0) blocks.push(fine.flatMap((finding) => renderFine(finding, options)).join("\n"));
	return `${blocks.join("\n\n")}\n`;
}

/** The way of the packets, a line for each place; what is wrong there in color, and marked. */
function renderPath({ address, port, portAssumed, from, path }: ServicePath, options: TextOptions): string {
	const head = `${address} TCP port ${port}${portAssumed ? " (assumed)" : ""}${from === undefined ? "" : ` from ${from}`}`;
	const rows = [{ at: "service", text: head, level: "green" as const }, ...path];
	const width = Math.max(...rows.map(({ at }) => at.length)) + 2;
	return rows
		.map(({ at, text, level }, index) => {
			const label = rows[index - 1]?.at === at ? "" : at;
			const mark = level === "green" ? "" : `  <- ${WORDS[level]}`;
			return `${paint(label, "dim", options)}${" ".repeat(width - label.length)}${printable(text, TEXT_LIMIT)}${paint(mark, level, options)}`;
		})
		.join("\n");
}

function headline({ causes, review, service }: Report): string {
	const number = (level: Level) => [...causes, ...review].filter((finding) => finding.level === level).length;
	const [reds, yellows] = [number("red"), number("yellow")];
	const warnings = yellows === 0 ? "" : count(yellows, "warning");
	if (reds === 0 && warnings === "" && service) return "Nothing wrong on the way.";
	if (reds === 0) return warnings === "" ? "Everything is fine." : `No errors; ${warnings}.`;
	return `${count(reds, "error")}${warnings && `, ${warnings}`}.`;
}

/** Columns of the words and labels in front. */
const LABEL = 5;
const WORDS: Readonly<Record<Level, string>> = { red: "ERROR", yellow: "WARN", green: "ok" };

const INDENT = " ".repeat(LABEL + 2);

function renderFinding(finding: Finding, options: TextOptions): string {
	const { id, level, subject, text, advice, evidence = [] } = finding;
	const title = `${paint(WORDS[level].padEnd(LABEL), level, options)}  ${paint(printable(subject, 64), "bold", options)}: ${id}`;
	const lines = [title, ...wrap(sentence(text)).map((line) => INDENT + line)];
	const labelled = (label: string, texts: readonly string[]) => {
		for (const [index, line] of texts.flatMap(wrap).entries())
			lines.push(
				index === 0
					? `  ${paint(label, "dim", options)}${" ".repeat(LABEL - label.length)}${line}`
					: INDENT + line,
			);
	};
	labelled("seen", evidence);
	labelled("do", advice === undefined ? [] : [advice]);
	return lines.join("\n");
}

function renderFine({ level, text, evidence = [] }: Finding, options: TextOptions): string[] {
	const lines = [...wrap(sentence(text)), ...evidence.flatMap(wrap).map((line) => `  ${line}`)];
	const word = `${paint(WORDS[level].padEnd(LABEL), level, options)}  `;
	return lines.map((line, index) => (index === 0 ? word : INDENT) + line);
}

/** Diagnoses are clauses, to stand in other sentences; here they are one. */
function sentence(text: string): string {
	return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

/** Breaks a text into lines at spaces; a word that is longer than a line stays whole, since it may be copied. */
function wrap(text: string): string[] {
	const lines: string[] = [];
	for (const word of printable(text, TEXT_LIMIT).split(" ")) {
		const last = lines.at(-1);
		if (last !== undefined && last.length + 1 + word.length <= WIDTH - LABEL - 2)
			lines[lines.length - 1] = `${last} ${word}`;
		else lines.push(word);
	}
	return lines;
}
