// The theme somebody chose, before the page is shown; without a choice the system's counts.
(function () {
    const key = "heavy-tasks-theme";
    const chosen = localStorage.getItem(key);
    if (chosen) {
        document.documentElement.dataset.theme = chosen;
    }

    document.addEventListener("click", (event) => {
        if (event.target.closest("[data-theme-switch]")) {
            const now = document.documentElement.dataset.theme
                ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
            const next = now === "dark" ? "light" : "dark";
            document.documentElement.dataset.theme = next;
            localStorage.setItem(key, next);
        } else if (event.target.closest("[data-reload]")) {
            location.reload();
        }
    });

    // A server that was restarted does not know this page any more: load it again.
    document.addEventListener("components-reconnect-state-changed", (event) => {
        if (event.detail.state === "rejected") {
            location.reload();
        }
    });
})();
