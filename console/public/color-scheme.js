// Sets light or dark before the first paint. A file of its own because the content security policy
// allows no inline script. The key is the one that Mantine's colour scheme store uses.
(() => {
  let choice = null;
  try {
    choice = localStorage.getItem("freehold.color-scheme");
  } catch {
    // Storage is off: follow the system.
  }
  const dark =
    choice === "dark" ||
    (choice !== "light" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
