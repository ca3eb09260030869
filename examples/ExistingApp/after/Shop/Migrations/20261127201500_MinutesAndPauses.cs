using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Migrations
{
    /// <inheritdoc />
    public partial class MinutesAndPauses : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTime>(
                name: "paused_at",
                table: "heavy_task_kinds",
                type: "datetime(6)",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "heavy_task_minutes",
                columns: table => new
                {
                    minute = table.Column<DateTime>(type: "datetime(6)", nullable: false),
                    kind = table.Column<string>(type: "varchar(100)", maxLength: 100, nullable: false, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    instance_id = table.Column<Guid>(type: "binary(16)", nullable: false),
                    succeeded = table.Column<int>(type: "int", nullable: false),
                    failed = table.Column<int>(type: "int", nullable: false),
                    cancelled = table.Column<int>(type: "int", nullable: false),
                    waits = table.Column<string>(type: "varchar(1000)", maxLength: 1000, nullable: false, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    runs = table.Column<string>(type: "varchar(1000)", maxLength: 1000, nullable: false, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_heavy_task_minutes", x => new { x.minute, x.kind, x.instance_id });
                })
                .Annotation("MySql:CharSet", "utf8mb4")
                .Annotation("Relational:Collation", "utf8mb4_bin");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "heavy_task_minutes");

            migrationBuilder.DropColumn(
                name: "paused_at",
                table: "heavy_task_kinds");
        }
    }
}
