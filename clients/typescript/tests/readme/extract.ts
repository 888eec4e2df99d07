/** Writes the README's first example, word for word, as a program to compile. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const FOLDER = new URL("../../", import.meta.url); // of the package, from `build/readme`
const LONGEST = 30; // lines

const text = readFileSync(new URL("README.md", FOLDER), "utf8");
const example = /```ts\n(import .*?)```/s.exec(text)?.[1];
if (example === undefined) throw new Error("The README has no example.");
const lines = example.split("\n").filter((line) => line.trim() !== "").length;
if (lines >= LONGEST) throw new Error(`The first example has ${lines} lines.`);
mkdirSync(new URL("build/example/", FOLDER), { recursive: true });
writeFileSync(new URL("build/example/example.ts", FOLDER), example);
