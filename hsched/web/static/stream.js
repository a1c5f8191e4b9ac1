// Requests that carry the token. It stands in the fragment of the address, which no browser
// sends anywhere, and goes out in a header, which is why EventSource will not do.

const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";

/** Asks, and returns the response; an error says what the server said. */
export async function ask(path, options = {}) {
  const headers = { Authorization: `Bearer ${token}` };
  const response = await fetch(path, { ...options, headers, cache: "no-store" });
  if (!response.ok) {
    const told = await response.json().catch(() => ({}));
    const error = new Error(told.error ?? `${response.status} ${response.statusText}`);
    error.isFinal = response.status === 401 || response.status === 403;
    throw error;
  }
  return response;
}

/** Calls `take` with each piece of text of a response, as it comes. */
export async function pieces(response, take) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    take(value);
  }
}

/** Calls `take` with the data of each server-sent event, for ever; `lost` when there is no server. */
export async function events(path, take, lost) {
  for (let rest = 500; ; rest = Math.min(rest * 2, 15000)) {
    try {
      let text = "";
      await pieces(await ask(path), (piece) => {
        rest = 500;
        const parts = (text + piece).split("\n\n");
        text = parts.pop();
        for (const part of parts) {
          const data = part.split("\n").filter((line) => line.startsWith("data: "));
          if (data.length) take(JSON.parse(data.map((line) => line.slice(6)).join("\n")));
        }
      });
      lost(new Error("`hsched web` has ended; this page goes on when it is back at this address"));
    } catch (error) {
      lost(error.isFinal ? error : new Error(`no answer from \`hsched web\` (${error.message})`));
      if (error.isFinal) return;
    }
    await new Promise((resolve) => { setTimeout(resolve, rest); });
  }
}
