import assert from "node:assert/strict";
import { LoneQuestions } from "./lone_questions.ts";

Deno.test("LoneQuestions.isAlone() is false once two questions came in one turn, and for a while after", () => {
  let nowMs = 0;
  let endTurn = () => {};
  const questions = new LoneQuestions(() => nowMs, (work) => endTurn = work);
  assert.equal(questions.isAlone(), true);
  endTurn();
  nowMs += 1;
  assert.equal(questions.isAlone(), true);
  assert.equal(questions.isAlone(), false);
  endTurn();
  nowMs += 50;
  assert.equal(questions.isAlone(), false);
  endTurn();
  nowMs += 51;
  assert.equal(questions.isAlone(), true);
});
