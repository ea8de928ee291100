// The drawing library with only what is used. Loaded when the first chart is shown: it is most of the page's size.

import { BarChart, CustomChart, LineChart, PieChart, ScatterChart, TreemapChart } from "echarts/charts";
import {
  DataZoomInsideComponent,
  DataZoomSliderComponent,
  GridComponent,
  LegendComponent,
  LegendScrollComponent,
  TitleComponent,
  TooltipComponent,
} from "echarts/components";
import { init, use, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([
  BarChart,
  CustomChart,
  LineChart,
  PieChart,
  ScatterChart,
  TreemapChart,
  DataZoomInsideComponent,
  DataZoomSliderComponent,
  GridComponent,
  LegendComponent,
  LegendScrollComponent,
  TitleComponent,
  TooltipComponent,
  CanvasRenderer,
]);

export type Drawing = EChartsType;

export function startDrawing(host: HTMLElement): Drawing {
  return init(host, null, { renderer: "canvas", useDirtyRect: false });
}
