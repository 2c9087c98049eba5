// The stand-in's JSON.

/** GET /sandbox/<path>; throws an Error with the stand-in's word for it. */
export async function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const answer = await (await fetch(`/sandbox/${path}?${new URLSearchParams(given)}`)).json();
  if (!answer.ok) throw new Error(answer.error);
  return answer;
}

/** POST /sandbox/<path>; gives the answer, a refusal too. Throws where nobody is there. */
export async function post(path, fields) {
  const response = await fetch(`/sandbox/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(fields),
  });
  return response.json();
}
