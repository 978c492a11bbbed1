/** Text that is looked for everywhere; a word of letters and digits, whatever quotes stand around it. */
export const marked = (what: string) => `marked7f3a${what}`;

/** A mistake's name, and the whole file with it. */
export type Mistake = readonly [what: string, text: string];

type Lines = readonly [what: string, lines: string];

const secret = marked("typed");

/** In the place of the section's line of the password. */
const inSection: readonly Lines[] = [
	["a quote that is never closed", `\toption password '${secret}\n`],
	["a double quote that is never closed", `\toption password "${secret}\n`],
	["two values", `\toption password 'one' '${secret}'\n`],
	["two words without quotes", `\toption password ${secret} ${secret}\n`],
	["two options in one line", `\toption username 'x' option password '${secret}'\n`],
	["a list", `\tlist password '${secret}'\n`],
	["a list of two", `\tlist password 'one'\n\tlist password '${secret}'\n`],
	["a name that is mistyped", `\toption pasword '${secret}'\n`],
	["a name with a capital", `\toption Password '${secret}'\n`],
	["an option of another program", `\toption mqtt_pass '${secret}'\n`],
	["a name that cannot be one", `\toption pass-word '${secret}'\n`],
	["the value in the next line", `\toption password\n\t\t'${secret}'\n`],
	["no option", `\tpassword '${secret}'\n`],
	["a colon", `\toption password: '${secret}'\n`],
	["a value that is too long", `\toption password '${secret.repeat(200)}'\n`],
	["name and value exchanged", `\toption ${secret} 'password'\n`],
	["under another name", `\toption port '${secret}'\n`],
	["under another name, as yes or no", `\toption tls '${secret}'\n`],
	["a control character", `\toption password '${secret}\u0001'\n`],
	["a value of two lines", `\toption password '${secret}\n${secret}'\n`],
	["twice, the second time as a list", `\toption password '${secret}'\n\tlist password '${secret}'\n`],
];

/** With another mistake, or in a section that is the wrong one. */
const besides: readonly Lines[] = [
	["another mistake beside it", `\toption password '${secret}'\n\toption port 'x'\n`],
	["in a section of another type", `\nconfig broker\n\toption password '${secret}'\n`],
	["in the main section", `\nconfig bgpwarden 'main'\n\toption password '${secret}'\n`],
	["in a section with another name", `\nconfig mqtt 'broker'\n\toption password '${secret}'\n`],
	["an unknown option of a peer", `\nconfig peer\n\toption name 'x'\n\toption passwort '${secret}'\n`],
];

/** @param good a whole file that has no mistake, with one `option password` */
export function mistakes(good: string): Mistake[] {
	const line = /\toption password .*\n/;
	if (!line.test(good)) throw new Error("there is no password in the file");
	const nameless = good
		.replace(/\toption username .*\n/, "")
		.replace(line, `\toption password '${secret}'\n`);
	return [
		...[...inSection, ...besides].map(([what, lines]) => [what, good.replace(line, () => lines)] as const),
		["no user name", nameless],
	];
}
