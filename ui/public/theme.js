// Runs before the first paint, so a chosen theme never flashes the other one.
(function () {
  var chosen = localStorage.getItem("hearth-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
