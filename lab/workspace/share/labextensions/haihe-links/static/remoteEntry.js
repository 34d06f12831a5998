// Links in rendered texts, formulas and outputs lead nowhere: what a cell shows must not take the browser away.
// Outputs reach the browser without links; markdown that a person types is rendered here alone.
(() => {
  const shown = '.jp-RenderedMarkdown, .jp-RenderedHTMLCommon, .jp-OutputArea, .jp-RenderedLatex';
  const stop = event => {
    const link = event.target instanceof Element && event.target.closest('a, area, [data-commandlinker-command]');
    if (!link || !link.closest(shown)) return;
    if ((link.getAttribute('href') || '').startsWith('#')) return; // a place in the same page
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  const plugin = {
    id: 'haihe-links:plugin',
    autoStart: true,
    activate: () => ['click', 'auxclick', 'dragstart'].forEach(kind => window.addEventListener(kind, stop, true)),
  };
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB['haihe-links'] = { init: () => {}, get: () => Promise.resolve(() => ({ __esModule: true, default: plugin })) };
})();
