// The site that this page belongs to may open it with a token behind `#token=`: a part of the address that reaches no
// server and no log. It is traded for a session, once.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  history.replaceState(null, "", location.pathname + location.search);
  try {
    const response = await fetch("session", {
      method: "POST", headers: { Authorization: `Bearer ${token}`, Accept: "application/json" },
    });
    if (response.ok) location.reload();
    else document.getElementById("error").textContent = (await response.json()).error;
  } catch { /* the page says what it says without a token */ }
}
