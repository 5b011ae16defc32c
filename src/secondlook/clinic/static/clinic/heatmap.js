// How strongly the heatmap lies over the picture, wherever an answer is shown.
document.addEventListener("input", (event) => {
  if (event.target.id === "opacity") document.getElementById("heatmap").setAttribute("opacity", event.target.value / 100);
});
